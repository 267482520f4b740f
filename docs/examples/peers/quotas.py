"""Quotas beside `slowapi` and `throttled-py`: what is counted as one, and for how long it is remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.middleware import SlowAPIMiddleware
from slowapi.util import get_remote_address
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from throttled.asyncio import MemoryStore, Throttled, per_hour

from docs.examples.peers.asked import ask
from docs.examples.peers.case import Case
from garrison import RateLimit, Settings, harden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response

SLOWAPI: Final = "slowapi"
QUOTA: Final = 3
ASKED: Final = 50
# What throttled-py keeps in memory unless told otherwise, and a few more.
STRANGERS: Final = 1_100


async def item(request: Request) -> Response:
    """One of many things."""
    return PlainTextResponse(request.path_params["number"])


def cases() -> Iterator[Case]:
    """What is compared here."""
    paths = [f"/item/{number}" for number in range(ASKED)]
    yield Case(
        f"{QUOTA}/hour, one client asks for {ASKED} different items of one route",
        SLOWAPI,
        f"serves {_served(_slowapi(), paths)}",
        f"serves {_served(_hardened(), paths)}",
    )
    paths = [f"/nothing/{number}" for number in range(ASKED)]
    yield Case(
        f"{QUOTA}/hour, {ASKED} paths that no route has",
        SLOWAPI,
        f"answers {_answered(_slowapi(), paths)}",
        f"answers {_answered(_hardened(), paths)}",
    )
    neighbours = [f"2001:db8:0:1::{number:x}" for number in range(1, ASKED + 1)]
    yield Case(
        f"{QUOTA}/hour, {ASKED} addresses of one IPv6 /64, which is one customer",
        SLOWAPI,
        f"serves {_served(_slowapi(), ['/item/1'] * ASKED, neighbours)}",
        f"serves {_served(_hardened(), ['/item/1'] * ASKED, neighbours)}",
    )
    strangers = [f"10.1.{number // 250}.{number % 250}" for number in range(STRANGERS)]
    yield Case(
        f"5/hour is used up, {STRANGERS:,} other addresses come by, the first asks 5 times more",
        "throttled-py",
        f"serves {asyncio.run(_throttled_again(strangers))} of them",
        f"serves {_hardened_again(strangers)} of them",
    )


def _slowapi() -> Any:
    app = Starlette(routes=[Route("/item/{number}", item)])
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[f"{QUOTA}/hour"])
    app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]
    app.add_middleware(SlowAPIMiddleware)
    return app


def _hardened(limits: str = f"{QUOTA}/hour") -> Any:
    return harden(
        Starlette(routes=[Route("/item/{number}", item)]),
        Settings(rate_limit=RateLimit(limits=limits), access_log=None),
    )


def _served(app: Any, paths: Iterable[str], clients: list[str] | None = None) -> int:
    return [answer.status for answer in _answers(app, paths, clients)].count(200)


def _answered(app: Any, paths: Iterable[str]) -> str:
    found = [answer.status for answer in _answers(app, paths, None)]
    return f"{found.count(404)} with 404, {found.count(429)} with 429"


def _answers(app: Any, paths: Iterable[str], clients: list[str] | None) -> Iterator[Any]:
    for number, path in enumerate(paths):
        yield ask(app, path, client=(clients[number] if clients else "203.0.113.9", 40000))


async def _throttled_again(strangers: list[str]) -> int:
    limiter = Throttled(quota=per_hour(5), store=MemoryStore())
    for client in ["203.0.113.9"] * 5 + strangers:
        await limiter.limit(client)
    return sum([not (await limiter.limit("203.0.113.9")).limited for _ in range(5)])


def _hardened_again(strangers: list[str]) -> int:
    app = _hardened("5/hour")
    for client in ["203.0.113.9"] * 5 + strangers:
        ask(app, "/item/1", client=(client, 40000))
    return _served(app, ["/item/1"] * 5)
