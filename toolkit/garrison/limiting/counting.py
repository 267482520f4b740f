"""Where routes find the store of the layer above them, and how they tell clients where they stand."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.context import RequestContext
from garrison.limiting.fields import Fields
from garrison.limiting.limiter import Limiter
from garrison.limiting.who import hash_key
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import NAME, Algorithm, parse_quotas
from garrison.ratelimit.refusals import Refusals
from garrison.rules import NotationError
from garrison.settings import Problem, SettingsError
from garrison.units import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from garrison.asgi import Headers
    from garrison.ratelimit.quota import Part, Quota, Standing, Store

# Plain stdlib logging reaches whatever handlers the program has, and stderr where it has none.
_log = logging.getLogger("garrison")

HASHES: Final = (
    "Accounts, keys and principals are stored as hashes, which all processes must make alike: set it for all"
    " of them, or give the {limit} a secret. `openssl rand -hex 32` makes one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What a layer shares with the routes below it, as `RequestContext.counting`.

    Attributes:
        limiter: decides.
        key: of hashes; None where other processes count in the same place and have another one.
        fields: writes what clients are told.
        algorithm: that of the layer's quotas, for routes that ask for none.
    """

    limiter: Limiter
    key: bytes | None
    fields: Fields
    algorithm: Algorithm = "token-bucket"


class Counter:
    """Finds out where one limit of a route counts.

    Args:
        limit: what counts, as errors call it.
        store: keeps the counts; that of the request's layer unless given, and memory of its own where there
            is none.
        secret: keys the hashes of what is no address; that of the layer unless given.
        hashes: whether anything but addresses is counted.

    Attributes:
        given: where a store that was given counts, or memory of its own.
        has_store: whether a store was given.

    Raises:
        SettingsError: processes share the store that was given, and there is no secret.
    """

    def __init__(self, limit: str, store: Store | None, secret: str | None, *, hashes: bool) -> None:
        if not isinstance(secret, str | None):
            raise refused_argument(f"{limit}.secret", "a text, or None", type(secret).__name__)
        self._limit = limit
        self._silent = False
        self.has_store = store is not None
        self._secret = None if secret is None else hash_key(Secret(secret))
        # An empty store is false.
        kept = MemoryStore() if store is None else store
        in_process = isinstance(kept, MemoryStore)
        self.given = Counting(
            limiter=Limiter(kept, refusals=None if in_process else Refusals()),
            key=hash_key(None) if in_process else None,
            fields=Fields(),
        )
        if hashes and self._secret is None and self.given.key is None:
            raise self._unlike()

    def of(self, context: RequestContext) -> Counting:
        """Where a request is counted."""
        if not self.has_store and isinstance(context.counting, Counting):
            return context.counting
        return self.given

    def key(self, counting: Counting) -> bytes:
        """What keys the hashes of a request.

        Raises:
            SettingsError: processes that count in one place would not make the same ones; the log says so
                once.
        """
        if self._secret is not None:
            return self._secret
        if counting.key is not None:
            return counting.key
        if not self._silent:
            self._silent = True
            _log.error("GARRISON_SECRET is not set: a %s on a shared storage serves nobody", self._limit)
        raise self._unlike()

    def _unlike(self) -> SettingsError:
        problem = Problem(
            name="GARRISON_SECRET",
            expected="a secret text, the same for all processes",
            hint=HASHES.format(limit=self._limit),
        )
        return SettingsError([problem])


def context_of(request: HTTPConnection) -> RequestContext:
    """The context of a request; one that nobody else sees where no layer made one."""
    context = request.scope.get("garrison")
    return context if isinstance(context, RequestContext) else RequestContext(request.scope)


class Telling:
    """Has a reply say where the client stands with one limit, and says it anew until the reply starts.

    Args:
        context: of the request; a layer adds to any reply what is told here.
        response: FastAPI's, for replies that the handler does not make itself; where no layer is there.
        fields: writes the lines.
    """

    __slots__ = ("_fields", "_lines", "_said")

    def __init__(self, context: RequestContext, response: Response | None, fields: Fields) -> None:
        lines = context.quota_lines
        self._lines = response.raw_headers if lines is None and response is not None else lines
        self._fields = fields
        self._said: Headers = []

    def say(self, parts: Sequence[Part], standings: Sequence[Standing]) -> None:
        """Have the reply say it.

        Args:
            parts: what was asked for.
            standings: one for each of their quotas.
        """
        if self._lines is not None:
            self._said = self._fields.lines(parts, standings)
            replace_legacy(self._lines, self._said)
            self._lines += self._said

    def say_anew(self, parts: Sequence[Part], standings: Sequence[Standing]) -> None:
        """Have the reply say it in place of what was said before, unless another limit has done that.

        Args:
            parts: as before.
            standings: as they are now.
        """
        if self._lines is not None:
            said, self._said = self._said, self._fields.lines(parts, standings)
            # Another limit may say the same of itself.
            anew = {id(before): after for before, after in zip(said, self._said, strict=True)}
            self._lines[:] = [anew.get(id(line), line) for line in self._lines]


def replace_legacy(told: Headers, lines: Headers) -> None:
    """Take back what is to be told anew, for header fields that can be there once only."""
    anew = {name for name, _ in lines if name.startswith(b"x-ratelimit-")}
    told[:] = [line for line in told if line[0] not in anew]


def read_quotas(setting: str, text: str, algorithm: Algorithm) -> tuple[Quota, ...]:
    """The quotas that code gives.

    Args:
        setting: how the argument is called.
        text: in the notation of `parse_quotas`.
        algorithm: how they are counted.

    Raises:
        SettingsError: it is no text in the notation.
    """
    if not isinstance(text, str):
        raise refused_argument(setting, "quotas as a text such as '5/minute; 100/hour'", text)
    try:
        return parse_quotas(text, algorithm)
    except NotationError as error:
        raise refused_argument(setting, error.expected, error.found) from None


def check_name(setting: str, name: object, *, or_none: bool = False) -> None:
    """Refuse what cannot be a word of a key.

    Args:
        setting: how the argument is called.
        name: the argument.
        or_none: whether it may be empty.

    Raises:
        SettingsError: it is no such word.
    """
    fits = isinstance(name, str) and (NAME.fullmatch(name) or (or_none and not name))
    if not fits:
        least = "at most" if or_none else "1 to"
        raise refused_argument(setting, f"{least} 64 letters, digits and any of ._-", name)


def words_of(quotas: tuple[Quota, ...]) -> str:
    """Quotas in a key: of other numbers they are others, and have another key, whatever they are called."""
    return " ".join(f"{quota.name}:{quota.limit}/{quota.period:.0f}" for quota in quotas)


def refused_argument(setting: str, expected: str, found: object, hint: str = "") -> SettingsError:
    """What is wrong with an argument."""
    return SettingsError([Problem(name=setting, expected=expected, found=str(found), hint=hint)])
