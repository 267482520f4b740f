"""An app that waits in every way, hardened with times that are short enough for a test."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from garrison import Settings, Timeouts, harden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from garrison import Hardened
    from garrison.asgi import Receive, Scope, Send

CHUNK: Final = bytes(64 * 1024)

# What became of the handlers.
counts: Final = {"cancelled": 0, "finished": 0, "threads": 0}


async def state(request: Request) -> Response:
    """What became of the handlers so far."""
    return JSONResponse(counts)


async def upload(request: Request) -> Response:
    """How large the body is."""
    return PlainTextResponse(str(len(await request.body())))


async def hang(request: Request) -> Response:
    """An async handler that waits for something that never comes."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        counts["cancelled"] += 1
        raise
    return PlainTextResponse("late")


async def stubborn(request: Request) -> Response:
    """An async handler that does not care that it is cancelled."""
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        await asyncio.sleep(1)
    counts["finished"] += 1
    return PlainTextResponse("late")


def thread(request: Request) -> Response:
    """A handler that goes on until it is told to end, or far too long."""
    until, latest = Path(request.query_params["until"]), time.monotonic() + 30
    while not until.exists() and time.monotonic() < latest:
        time.sleep(0.02)
    counts["threads"] += 1
    return PlainTextResponse("late")


async def poll(request: Request) -> Response:
    """A long poll, which has no deadline by a rule."""
    await asyncio.sleep(1.5)
    return PlainTextResponse("news")


async def events(request: Request) -> Response:
    """Server-sent events, with longer pauses than any deadline."""

    async def lines() -> AsyncIterator[bytes]:
        for _ in range(2):
            await asyncio.sleep(1)
            yield b"data: x\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


class Download:
    """A stream without an end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send as long as somebody takes it."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        finally:
            counts["finished"] += 1


async def big(request: Request) -> Response:
    """One message that is larger than what systems hold."""
    return Response(CHUNK * 512)


async def echo(websocket: WebSocket) -> None:
    """Says what it hears."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(f"{len(text)}")


def make_app() -> Hardened:
    """The hardened app."""
    app = Starlette(
        routes=[
            Route("/state", state),
            Route("/upload", upload, methods=["POST"]),
            *(Route(f"/{view.__name__}", view) for view in (hang, stubborn, thread, poll, events, big)),
            Route("/download", Download()),
            WebSocketRoute("/echo", echo),
        ],
    )
    timeouts = Timeouts(
        body_grace=0.5,
        handler=0.5,
        rules="/poll: off; /big: off",
        overdue=4,
        reader=0.6,
        websocket_idle=0.5,
        websocket_message=1000,
    )
    return harden(app, Settings(timeouts=timeouts))
