"""Quotas of one route: a dependency in FastAPI, a call in any Starlette handler."""

from __future__ import annotations

from functools import partial
from inspect import Parameter, Signature, isawaitable
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from garrison.limiting.counting import Counter, context_of, read_quotas, refused_argument, tell
from garrison.limiting.plan import asked
from garrison.limiting.refused import exceeded, unknown
from garrison.limiting.who import Who, hashed, written
from garrison.ratelimit.identity import parse_identity
from garrison.ratelimit.quota import NAME, Part
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
            callable as an import string. A header alone is refused, since clients can make up any value.
        key: a callable in place of `by` that takes the request and returns who it is from, as one text or
            several, or None for a request that is not counted; sync or async.
        cost: units that a request takes, or a callable that takes the request and returns them; 0 for one
            that is not counted.
        name: what is counted together. Without a name it is the handler: each one has counts of its own,
            under whichever paths it is reached. With one, everything with this name and these quotas shares
            its counts.
        algorithm: how the quotas are counted; see `RateLimit.algorithm`, which it must equal on a storage of
            the package `limits`.
        store: keeps the counts in place of the layer's.
        secret: keys the hashes of what is no address in place of `GARRISON_SECRET`; needed where a store is
            given that processes share.

    Raises:
        SettingsError: an argument cannot be used.
    """

    def __init__(
        self,
        quotas: str | Callable[..., object],
        *,
        by: str = "address",
        key: Callable[[Any], Key | Awaitable[Key]] | None = None,
        cost: int | Callable[[Any], int | Awaitable[int]] = 1,
        name: str = "",
        algorithm: Algorithm = "token-bucket",
        store: Store | None = None,
        secret: str | None = None,
    ) -> None:
        self._counter = Counter(store, secret)
        self._quotas: tuple[Quota, ...] | TenantQuotas
        if isinstance(quotas, str):
            self._quotas = read_quotas("Limit.quotas", quotas, algorithm)
            kind = " ".join(quota.name for quota in self._quotas)
        else:
            self._quotas = TenantQuotas(quotas, algorithm, setting="Limit.quotas")
            kind = place_of(quotas)
        if key is not None and by != "address":
            raise refused_argument("Limit.key", "either by or key", f"by={by!r}")
        self._key = key
        self._who = None if key is not None else Who(_identity(by), b"", "Limit.by")
        if name and not NAME.fullmatch(name):
            raise refused_argument("Limit.name", "at most 64 letters, digits and any of ._-", name)
        self._name = name
        words = "by:key" if self._who is None else f"by:{self._who.identity.text}"
        self._kind = kind if words == "by:address" else f"{words} {kind}"
        self._cost = _checked(cost)
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
            SettingsError: processes share the store, and have no secret to make the same hashes.
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
        tell(context, response, counting.fields.lines(ruling.parts, ruling.standings))

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
        quotas = self._quotas
        if isinstance(quotas, TenantQuotas):
            found = await quotas.quotas_for(*values)
            if found is None:
                return None
            quotas = found
        name = self._name or place_of(request.scope.get("endpoint"))
        return Part(f"limit {name} {self._kind} {self._written(values, counting)}", quotas, cost)

    async def _values(self, scope: Scope, context: RequestContext) -> tuple[str, ...] | None:
        return None if self._who is None else await self._who.values(scope, context)

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
    try:
        identity = parse_identity(by)
    except NotationError as error:
        raise refused_argument("Limit.by", error.expected, error.found) from None
    if identity.is_made_up:
        hint = "GARRISON_RATE_LIMIT_LIMITS can limit by a header beside a quota by address."
        raise refused_argument("Limit.by", GUARDED, by, hint)
    return identity


def _checked(
    cost: int | Callable[[Any], int | Awaitable[int]],
) -> int | Callable[[HTTPConnection], Awaitable[int]]:
    if callable(cost):
        return partial(asked, place_of(cost), cost)
    if isinstance(cost, bool) or cost < 1:
        raise refused_argument("Limit.cost", "at least 1 unit, or a callable that returns units", cost)
    return cost


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
