"""Who a request is from, as quotas count it, and how that is written into a key."""

from __future__ import annotations

from hashlib import blake2b
from inspect import isawaitable
from itertools import product
from os import urandom
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.callables import imported
from garrison.ratelimit.client import network_of
from garrison.ratelimit.identity import ADDRESS, HEADER, PRINCIPAL
from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.ratelimit.identity import Identity
    from garrison.units import Secret

    # One part of an identity; a request that lacks it is not counted.
    Reader = Callable[[Scope, RequestContext], object]

# 128 bits: nobody finds two values of the same hash, and a key stays short.
DIGEST_SIZE: Final = 16


class Lines(tuple[str, ...]):
    """What one header may be read as; tuples of an app's callable are not."""

    __slots__ = ()


class Who:
    """Reads one identity from requests.

    Args:
        identity: what to read.
        secret: keys the hashes of all values that are no address.
        setting: where the identity was written, for errors.

    Raises:
        SettingsError: a callable cannot be imported.
    """

    def __init__(self, identity: Identity, secret: bytes, setting: str) -> None:
        self.identity = identity
        self._readers = tuple(_reader(part, setting) for part in identity.parts)
        self._secret = secret

    async def values(self, scope: Scope, context: RequestContext) -> tuple[str, ...] | None:
        """The parts of the identity; None where the request lacks one. See `all_values`.

        Raises:
            TypeError: a callable returned something that is neither a text nor None.
        """
        found = await self.all_values(scope, context)
        return found[0] if found else None

    async def all_values(self, scope: Scope, context: RequestContext) -> tuple[tuple[str, ...], ...]:
        """Everybody that the request may be taken for, none of them twice; empty where it lacks a part.

        A header that is there several times is read by apps as its first line, as its last one, or as all of
        them joined. Each of these has to be counted: otherwise whoever adds a line to a key that is valid
        would be somebody else every time.

        Raises:
            TypeError: a callable returned something that is neither a text nor None.
        """
        found = []
        for part, read in zip(self.identity.parts, self._readers, strict=True):
            value = read(scope, context)
            if isawaitable(value):
                value = await value
            if value is None or value == "":
                return ()
            if not isinstance(value, str | Lines):
                raise TypeError(f"{part} returned {type(value).__name__}, expected str or None")
            found.append(value if isinstance(value, Lines) else (value,))
        return tuple(product(*found))

    def written(self, values: tuple[str, ...]) -> str:
        """The parts of a key; see `written`."""
        return written(self.identity, values, self._secret)


def hash_key(secret: Secret | None, reason: str = "") -> bytes:
    """What keys the hashes of quotas.

    Args:
        secret: `GARRISON_SECRET`; a random one of this process where there is none.
        reason: why processes must agree on it, if they must.

    Raises:
        SettingsError: they must, and there is none.
    """
    if secret is not None:
        return blake2b(secret.reveal().encode("utf-8", "surrogatepass"), person=b"garrison quotas").digest()
    if reason:
        problem = Problem(
            name="GARRISON_SECRET",
            expected="a secret text, the same for all processes",
            hint=f"{reason} `openssl rand -hex 32` makes one.",
        )
        raise SettingsError([problem])
    return urandom(blake2b.MAX_KEY_SIZE)


def written(identity: Identity, values: tuple[str, ...], secret: bytes) -> str:
    """The parts of a key, which no value of a client can forge: each is an address or a hash.

    Args:
        identity: what was read.
        values: one for each of its parts.
        secret: the key of the hashes, at most 64 bytes.
    """
    return "+".join(
        value if part == ADDRESS else hashed(secret, part, value)
        for part, value in zip(identity.parts, values, strict=True)
    )


def hashed(secret: bytes, kind: str, value: str) -> str:
    """A value that is known to who has the secret, and tells nothing to others.

    Args:
        secret: the key of the hash, at most 64 bytes.
        kind: what the value is; the same value of another kind has another hash.
        value: any text.
    """
    text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
    return blake2b(text, key=secret, digest_size=DIGEST_SIZE).hexdigest()


def principal_of(scope: Scope, context: RequestContext) -> str | None:
    """Whom the request is from, as whoever authenticated it says.

    That is a layer of Garrison, or Starlette's AuthenticationMiddleware, whose user has an `identity` or a
    `display_name`.

    Raises:
        TypeError: somebody is authenticated, and has neither.
    """
    if context.principal is not None:
        return context.principal
    user = scope.get("user")
    if getattr(user, "is_authenticated", False) is not True:
        return None
    for name in ("identity", "display_name"):
        try:
            found = getattr(user, name, None)
        except NotImplementedError:
            # Starlette's own users have one of them only.
            continue
        if isinstance(found, str) and found:
            return found
    # Nobody in particular would have no quota.
    name = type(user).__qualname__
    raise TypeError(f"{name} is authenticated, expected an identity or a display_name that is a text")


def _reader(part: str, setting: str) -> Reader:
    if part == ADDRESS:
        return lambda _, context: network_of(context.client)
    if part == PRINCIPAL:
        return principal_of
    if part.startswith(HEADER):
        name = part.removeprefix(HEADER).encode("ascii")
        return lambda scope, _: _lines_of(scope, name)
    from starlette.requests import HTTPConnection  # noqa: PLC0415 - slow, and only callables need it

    call = cast("Callable[[HTTPConnection], Any]", imported(part, setting))
    return lambda scope, _: call(HTTPConnection(scope))


def _lines_of(scope: Scope, name: bytes) -> Lines | None:
    """What a header says, in all the ways in which it is read; None where it says nothing."""
    lines = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    if len(lines) > 1:
        # RFC 9110 section 5.3 joins them.
        lines = [lines[0], lines[-1], ",".join(lines)]
    return Lines(filter(None, dict.fromkeys(lines))) or None
