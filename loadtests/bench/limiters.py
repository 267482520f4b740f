"""Rate limiters alone around the bare app, each counting in memory by the client's address.

Each is put on as its own documentation has it. `limits` has no middleware of its own, so that it is in
one as short as it can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from slowapi import Limiter as SlowLimiter
from slowapi.middleware import SlowAPIASGIMiddleware, SlowAPIMiddleware
from slowapi.util import get_remote_address
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from throttled.asyncio.contrib.fastapi import Limiter as ThrottledLimiter
from throttled.asyncio.contrib.fastapi import RateLimitExceededError, rate_limit_exceeded_handler
from throttled.asyncio.contrib.fastapi import RateLimitMiddleware as ThrottledMiddleware
from throttled.asyncio.contrib.fastapi import get_remote_address as client_address

from garrison.middleware.rate_limit import RateLimit, RateLimitMiddleware
from loadtests.bench.measure import Variant
from loadtests.bench.names import LIMITER, OUR_LIMITER
from loadtests.bench.recipe import REQUESTS_PER_MINUTE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

QUOTA: Final = f"{REQUESTS_PER_MINUTE}/minute"


def limiters(app: Starlette, quota: str = QUOTA) -> list[Variant]:
    """Every limiter, Garrison's first.

    Args:
        app: is not changed; the peers that must change theirs get one with the same routes.
        quota: in a notation that all of them know.
    """
    variants: dict[str, ASGIApp] = {
        OUR_LIMITER: RateLimitMiddleware(app, RateLimit(limits=quota)),
        f"{OUR_LIMITER}, two quotas": RateLimitMiddleware(
            app, RateLimit(limits=f"{quota}; {REQUESTS_PER_MINUTE}/hour")
        ),
        f"{LIMITER}limits by hand, hit and stats": LimitsMiddleware(app, quota),
        f"{LIMITER}slowapi, ASGI middleware": _slowapi(app, SlowAPIASGIMiddleware, quota),
        f"{LIMITER}slowapi, middleware": _slowapi(app, SlowAPIMiddleware, quota),
        f"{LIMITER}throttled-py, decorator": _throttled(quota, headers=False),
        f"{LIMITER}throttled-py, and its headers": _throttled(quota, headers=True),
    }
    return [Variant(name=name, app=limited) for name, limited in variants.items()]


class LimitsMiddleware:
    """The least that a middleware with `limits` does: one hit, one look at what is left, two fields.

    Args:
        app: the app below.
        quota: in the notation of `limits`.
    """

    def __init__(self, app: ASGIApp, quota: str) -> None:
        self.app = app
        self._item = limits.parse(quota)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, and refuse what is too much."""
        client = scope["client"][0]
        allowed = await self._limiter.hit(self._item, client)
        stats = await self._limiter.get_window_stats(self._item, client)
        fields = [
            (b"x-ratelimit-remaining", b"%d" % stats.remaining),
            (b"x-ratelimit-reset", b"%d" % stats.reset_time),
        ]

        if not allowed:
            await send({"type": "http.response.start", "status": 429, "headers": fields})
            await send({"type": "http.response.body"})
            return

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *fields]}
            await send(message)

        await self.app(scope, receive, send_with_fields)


def _slowapi(
    app: Starlette, middleware: type[SlowAPIASGIMiddleware | SlowAPIMiddleware], quota: str
) -> Starlette:
    limited = Starlette(routes=list(app.routes))
    limited.state.limiter = SlowLimiter(key_func=get_remote_address, default_limits=[quota])
    limited.add_middleware(middleware)
    return limited


def _throttled(quota: str, *, headers: bool) -> Starlette:
    """Its limiter is for routes; the middleware only adds the fields to their replies."""
    limiter = ThrottledLimiter(quota, key_func=client_address)

    @limiter.limit()
    async def item(request: Request) -> JSONResponse:
        return JSONResponse({"id": request.path_params["item_id"], "name": "lantern"})

    limited = Starlette(routes=[Route("/items/{item_id}", item)])
    limited.add_exception_handler(RateLimitExceededError, rate_limit_exceeded_handler)
    if headers:
        limited.add_middleware(ThrottledMiddleware)
    return limited
