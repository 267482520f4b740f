"""What is served in these tests: one app for everyday requests, and several that fail."""

from __future__ import annotations

import asyncio
import functools
import logging
import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response


async def home(request: Request) -> Response:
    """What the app knows of its client."""
    client = request.client.host if request.client else None
    return JSONResponse({"client": client, "scheme": request.url.scheme, "started": request.state.started})


async def read(request: Request) -> Response:
    """The length of the body."""
    return PlainTextResponse(str(len(await request.body())))


async def ignore(request: Request) -> Response:
    """An answer without a look at the body."""
    return PlainTextResponse("ignored", 403)


async def boom(request: Request) -> Response:
    """A failure that quotes a secret."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


async def says(request: Request) -> Response:
    """Whatever an app may write beside the access log."""
    logging.getLogger("shop").warning("sold %d", 3, extra={"article": "tea"})
    warnings.warn("old tea", UserWarning, stacklevel=1)
    return PlainTextResponse("said")


async def endless(request: Request) -> Response:
    """A stream that ends only when it is cancelled."""

    async def ticks() -> AsyncIterator[bytes]:
        while True:
            yield b"tick\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(ticks(), media_type="text/event-stream")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
    """A startup that leaves something for the requests."""
    yield {"started": True}


@asynccontextmanager
async def failing(app: Starlette) -> AsyncIterator[None]:
    """A startup that fails."""
    if not app.debug:
        raise RuntimeError("no database at\npostgresql://shop:hunter2@db/shop")
    yield


ROUTES = [
    Route("/", home),
    Route("/read", read, methods=["POST"]),
    Route("/ignore", ignore, methods=["POST"]),
    Route("/boom", boom),
    Route("/says", says),
    Route("/endless", endless),
]
app = Starlette(routes=ROUTES, lifespan=lifespan)
broken = Starlette(routes=ROUTES, lifespan=failing)
settings = {"debug": True}


def make_app() -> Starlette:
    """A factory."""
    return app


async def make_app_later() -> Starlette:
    """A factory that cannot be called from where nothing runs yet."""
    return app


def make_nothing() -> None:
    """A factory that forgot to return."""


def make_failing() -> Starlette:
    """A factory that fails."""
    raise LookupError("no such shop")


def takes_one(request: Any) -> None:
    """What is called as no app is."""


@functools.wraps(takes_one)
async def dressed(scope: Any, receive: Any, send: Any) -> None:
    """An app that a decorator has given the looks of something else."""
    await app(scope, receive, send)


async def mute(scope: Any, receive: Any, send: Any) -> None:
    """An app that gives no reason for a failed startup."""
    await receive()
    await send({"type": "lifespan.startup.failed"})
