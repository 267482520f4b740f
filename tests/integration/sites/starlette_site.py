"""The site in Starlette."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from garrison import harden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
    """What the routes share: a gate, and what was done in the background."""
    yield {"gate": asyncio.Event(), "done": []}


async def page(request: Request) -> Response:
    """A page."""
    return HTMLResponse("<title>page</title>")


async def item(request: Request) -> Response:
    """A document of an API."""
    return JSONResponse({"item": request.path_params["number"]})


async def boom(request: Request) -> Response:
    """A failure."""
    raise RuntimeError("kaboom with hunter2")


async def stream(request: Request) -> Response:
    """Two events, the second of which waits for the gate."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        await request.state.gate.wait()
        yield b"data: second\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def open_gate(request: Request) -> Response:
    """Lets the second event go."""
    request.state.gate.set()
    return PlainTextResponse("open")


async def later(request: Request) -> Response:
    """A reply with something to do behind it."""
    return PlainTextResponse("soon", background=BackgroundTask(request.state.done.append, "task"))


async def done(request: Request) -> Response:
    """What was done in the background."""
    return JSONResponse(request.state.done)


async def echo(websocket: WebSocket) -> None:
    """Sends back what it is sent, once."""
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def deny(websocket: WebSocket) -> None:
    """Accepts nobody."""
    await websocket.close()


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/page", page),
        Route("/items/{number:int}", item),
        Route("/boom", boom),
        Route("/stream", stream),
        Route("/open", open_gate),
        Route("/later", later),
        Route("/done", done),
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/deny", deny),
    ],
)


def make_hardened() -> Any:
    """The site of somebody who hardens it in code."""
    return harden(app)
