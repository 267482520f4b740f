"""Where routes find the store of the layer above them, and how they tell clients where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from garrison.context import RequestContext
from garrison.limiting.fields import Fields
from garrison.limiting.limiter import Limiter
from garrison.limiting.who import hash_key
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.refusals import Refusals
from garrison.rules import NotationError
from garrison.settings import Problem, SettingsError
from garrison.units import Secret

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from garrison.asgi import Headers
    from garrison.ratelimit.quota import Algorithm, Quota, Store

HASHES = "Accounts, keys and principals are stored as hashes, which all processes must make alike."


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What a layer shares with the routes below it, as `RequestContext.counting`.

    Attributes:
        limiter: decides.
        key: of hashes; None where other processes count in the same place and have another one.
        fields: writes what clients are told.
    """

    limiter: Limiter
    key: bytes | None
    fields: Fields


class Counter:
    """Finds out where one limit of a route counts.

    Args:
        store: keeps the counts; that of the request's layer unless given, and memory of its own where there
            is none.
        secret: keys the hashes of what is no address; that of the layer unless given.
    """

    def __init__(self, store: Store | None, secret: str | None) -> None:
        self._given = store is not None
        self._secret = None if secret is None else hash_key(Secret(secret))
        # An empty store is false.
        kept = MemoryStore() if store is None else store
        in_process = isinstance(kept, MemoryStore)
        self._own = Counting(
            limiter=Limiter(kept, refusals=None if in_process else Refusals()),
            key=hash_key(None) if in_process else None,
            fields=Fields(),
        )

    def of(self, context: RequestContext) -> Counting:
        """Where a request is counted."""
        if not self._given and isinstance(context.counting, Counting):
            return context.counting
        return self._own

    def key(self, counting: Counting) -> bytes:
        """What keys the hashes of a request.

        Raises:
            SettingsError: processes that count in one place would not make the same ones.
        """
        if self._secret is not None:
            return self._secret
        return hash_key(None, HASHES) if counting.key is None else counting.key


def context_of(request: HTTPConnection) -> RequestContext:
    """The context of a request; one that nobody else sees where no layer made one."""
    context = request.scope.get("garrison")
    return context if isinstance(context, RequestContext) else RequestContext(request.scope)


def tell(context: RequestContext, response: Response | None, lines: Headers) -> None:
    """Have the reply say where the client stands.

    Args:
        context: of the request; a layer adds to any reply what is told here.
        response: FastAPI's, for replies that the handler does not make itself; where no layer is there.
        lines: what to say.
    """
    if context.quota_lines is not None:
        replace_legacy(context.quota_lines, lines)
        context.quota_lines += lines
    elif response is not None:
        for name, value in lines:
            response.headers.append(name.decode("latin-1"), value.decode("latin-1"))


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
        SettingsError: the text is not in the notation.
    """
    try:
        return parse_quotas(text, algorithm)
    except NotationError as error:
        raise refused_argument(setting, error.expected, error.found) from None


def refused_argument(setting: str, expected: str, found: object, hint: str = "") -> SettingsError:
    """What is wrong with an argument."""
    return SettingsError([Problem(name=setting, expected=expected, found=str(found), hint=hint)])
