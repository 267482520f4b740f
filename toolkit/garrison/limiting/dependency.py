"""Quotas of one route: a dependency in FastAPI, a call in any Starlette handler."""

from __future__ import annotations

import logging
from functools import partial
from inspect import Parameter, Signature, isawaitable
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from garrison.limiting.counting import (
    Counter,
    Telling,
    check_name,
    context_of,
    read_quotas,
    refused_argument,
    words_of,
)
from garrison.limiting.plan import asked
from garrison.limiting.refused import exceeded, unknown
from garrison.limiting.variants import Variants
from garrison.limiting.who import Who, hashed, written
from garrison.ratelimit.identity import PRINCIPAL, parse_identity
from garrison.ratelimit.quota import Part
from garrison.ratelimit.tenants import TenantQuotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.rules import NotationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response

    from garrison.asgi import Scope
    from garrison.context import RequestContext
    from garrison.limiting.counting import Counting
    from garrison.ratelimit.identity import Identity
    from garrison.ratelimit.quota import Algorithm, Quota, Store

    Key = str | tuple[str, ...] | None
    Quotas = tuple[Quota, ...] | TenantQuotas

# Plain stdlib logging reaches whatever handlers the program has, and stderr where it has none.
_log = logging.getLogger("garrison")

GUARDED = (
    "an identity that a client cannot make up, such as address, principal, or a callable as key that verifies"
    " the header"
)


class Limit:
    """Quotas for one route, asked for by the route itself.

    In FastAPI it is a dependency, `dependencies=[Depends(Limit("5/minute"))]`, and in a Starlette handler a
    call, `await limit(request)`; WebSockets are limited alike, by handshake or, once accepted, by message.
    Counts are where those of the request's RateLimit layer are, and in memory of its own where there is no
    layer: of one process, that is.

    Clients are told where they stand on every reply where the layer is there. Without it FastAPI adds that to
    replies that it makes of what the handler returns, and not to a `Response` that a handler returns.

    Args:
        quotas: such as `5/minute; 100/hour`, or a callable that takes the parts of the identity and returns
            the quotas of that tenant, or None for one that is not limited; sync or async. Its answers are
            kept for a minute.
        by: who is counted as one, as in `RateLimit.limits`: `address`, `principal`, `address+principal`, or a
            callable as an import string. A header is refused, since clients can make up any value. A request
            without a principal is not counted; where nothing authenticates, the log says so once.
        key: a callable in place of `by` that takes the request and returns who it is from, as one text or
            several, or None for a request that is not counted; sync or async.
        cost: units that a request takes, at most those of the smallest quota, or a callable that takes the
            request and returns them; 0 for one that is not counted.
        name: what is counted together. Without a name it is the handler: each one has counts of its own,
            under whichever paths it is reached. With one, everything with this name and these quotas shares
            its counts.
        algorithm: how the quotas are counted, see `RateLimit.algorithm`; as that says unless given, and so it
            must be on a storage of the package `limits`.
        store: keeps the counts in place of the layer's.
        secret: keys the hashes of what is no address in place of `GARRISON_SECRET`; needed where a store is
            given that processes share.

    Raises:
        SettingsError: an argument cannot be used, or processes share the store that is given, and have no
            secret to make the same hashes.
    """

    def __init__(
        self,
        quotas: str | Callable[..., object],
        *,
        by: str = "address",
        key: Callable[[Any], Key | Awaitable[Key]] | None = None,
        cost: int | Callable[[Any], int | Awaitable[int]] = 1,
        name: str = "",
        algorithm: Algorithm | None = None,
        store: Store | None = None,
        secret: str | None = None,
    ) -> None:
        self._key = _checked_key(key, by)
        self._who = None if key is not None else Who(_identity(by), b"", "Limit.by")
        check_name("Limit.name", name, or_none=True)
        self._name = name
        hashes = self._who is None or self._who.identity.has_secrets
        self._counter = Counter("Limit", store, secret, hashes=hashes)
        self._variants: Variants[Quotas] = Variants("Limit", algorithm, partial(_quotas, quotas))
        found = self._variants.of(self._counter.given)
        kind = place_of(quotas) if isinstance(found, TenantQuotas) else words_of(found)
        words = "by:key" if self._who is None else f"by:{self._who.identity.text}"
        self._kind = kind if words == "by:address" else f"{words} {kind}"
        self._cost = _checked_cost(cost, found)
        self._warned = False
        # FastAPI does not resolve annotations of instances that are texts.
        self.__signature__ = called_with_response()

    async def __call__(self, request: HTTPConnection, response: Response | None = None) -> None:
        """Count a request, or a message of a WebSocket.

        Args:
            request: Starlette's or FastAPI's, or a WebSocket.
            response: FastAPI's, to tell the client where it stands.

        Raises:
            QuotaExceededError: a quota has no room, with status 429.
            HTTPException: the store does not answer and its layer has `on_storage_error` closed, with
                status 503.
            WebSocketException: the same of a WebSocket that was accepted, or whose server cannot reply to a
                handshake; with 1008, and 1013 where the store does not answer.
            SettingsError: processes share the store, and have no secret to make the same hashes, or the
                storage lacks the algorithm.
        """
        context = context_of(request)
        cost = self._cost if isinstance(self._cost, int) else await self._cost(request)
        counting = self._counter.of(context)
        part = await self._part(request, context, counting, cost) if cost else None
        if part is None:
            return
        limiter = counting.limiter
        try:
            ruling = await limiter.decide((part,))
        except StoreUnavailableError:
            limiter.outcomes.unavailable += 1
            raise unknown(request, context) from None
        limiter.count(ruling)
        if not ruling.allowed:
            raise exceeded(request, context, counting.fields, ruling)
        Telling(context, response, counting.fields).say(ruling.parts, ruling.standings)

    async def _part(
        self, request: HTTPConnection, context: RequestContext, counting: Counting, cost: int
    ) -> Part | None:
        """What a request asks for; None where it is not counted."""
        if self._key is None:
            values = await self._values(request.scope, context)
        else:
            values = await _keyed(self._key, request)
        if values is None:
            return None
        quotas = self._variants.of(counting)
        if isinstance(quotas, TenantQuotas):
            found = await quotas.quotas_for(*values)
            if found is None:
                return None
            quotas = found
        name = self._name or place_of(request.scope.get("endpoint"))
        return Part(f"limit {name} {self._kind} {self._written(values, counting)}", quotas, cost)

    async def _values(self, scope: Scope, context: RequestContext) -> tuple[str, ...] | None:
        if self._who is None:
            return None
        values = await self._who.values(scope, context)
        if values is None and not self._warned and _lacks_principal(self._who.identity, scope, context):
            self._warned = True
            _log.warning(
                "Limit(by=%r) limits nobody at %s: nothing has authenticated the request before it",
                self._who.identity.text,
                self._name or place_of(scope.get("endpoint")),
            )
        return values

    def _written(self, values: tuple[str, ...], counting: Counting) -> str:
        """Who asks, as a part of a key."""
        if self._who is None:
            secret = self._counter.key(counting)
            return "+".join(hashed(secret, "key", value) for value in values)
        if self._who.identity.is_address:
            return values[0]
        return written(self._who.identity, values, self._counter.key(counting))


def called_with_response() -> Signature:
    """What FastAPI is to call a dependency with: any request or WebSocket, and the reply to be."""
    from starlette.responses import Response  # noqa: PLC0415 - start-up time, for who has no use for it

    kind = Parameter.POSITIONAL_OR_KEYWORD
    return Signature(
        [
            Parameter("request", kind, annotation=HTTPConnection),
            Parameter("response", kind, annotation=Response),
        ]
    )


def place_of(call: object) -> str:
    """Where a callable is written, as one word that is the same in every process: `shop.routes:login`."""
    while isinstance(call, partial):
        call = call.func
    named = call if hasattr(call, "__qualname__") else type(call)
    return f"{named.__module__}:{named.__qualname__}".replace(" ", "")


def _identity(by: str) -> Identity:
    if not isinstance(by, str):
        raise refused_argument("Limit.by", "a text such as 'address' or 'principal'; callables are keys", by)
    try:
        identity = parse_identity(by)
    except NotationError as error:
        raise refused_argument("Limit.by", error.expected, error.found) from None
    if identity.is_made_up:
        hint = "GARRISON_RATE_LIMIT_LIMITS can limit by a header beside a quota by address."
        raise refused_argument("Limit.by", GUARDED, by, hint)
    return identity


def _quotas(quotas: str | Callable[..., object], algorithm: Algorithm) -> Quotas:
    if callable(quotas):
        return TenantQuotas(quotas, algorithm, setting="Limit.quotas")
    return read_quotas("Limit.quotas", quotas, algorithm)


def _checked_key(
    key: Callable[[Any], Key | Awaitable[Key]] | None, by: str
) -> Callable[[Any], Key | Awaitable[Key]] | None:
    if key is None:
        return None
    if not callable(key):
        raise refused_argument("Limit.key", "a callable that takes the request and returns who asks", key)
    if by != "address":
        raise refused_argument("Limit.key", "either by or key", f"by={by!r}")
    return key


def _checked_cost(
    cost: int | Callable[[Any], int | Awaitable[int]], quotas: Quotas
) -> int | Callable[[HTTPConnection], Awaitable[int]]:
    if callable(cost):
        return partial(asked, place_of(cost), cost)
    if not _is_units(cost):
        raise refused_argument("Limit.cost", "at least 1 unit, or a callable that returns units", cost)
    least = cost if isinstance(quotas, TenantQuotas) else min(quota.limit for quota in quotas)
    if cost > least:
        raise refused_argument("Limit.cost", f"at most {least}, or no request is ever served", cost)
    return cost


def _is_units(cost: object) -> bool:
    return isinstance(cost, int) and not isinstance(cost, bool) and cost >= 1


def _lacks_principal(identity: Identity, scope: Scope, context: RequestContext) -> bool:
    """Whether nobody can have a quota, because nothing on the way says who asks."""
    # Starlette has a user where somebody looked, and found nobody.
    return PRINCIPAL in identity.parts and context.principal is None and "user" not in scope


async def _keyed(call: Callable[[Any], Any], request: HTTPConnection) -> tuple[str, ...] | None:
    """What the callable of an app says of a request.

    Raises:
        TypeError: it returned something else than a text, texts, or None.
    """
    found = call(request)
    if isawaitable(found):
        found = await found
    if found is None:
        return None
    values = found if isinstance(found, tuple) and found else (found,)
    if not all(isinstance(value, str) for value in values):
        raise TypeError(f"{place_of(call)} returned {type(found).__name__}, expected str, texts or None")
    return values
