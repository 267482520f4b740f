"""The site in Litestar."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, MediaType, Request, Response, WebSocket, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State
from litestar.response import Stream

from garrison import harden


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """What the routes share: a gate, and what was done in the background."""
    app.state.gate = asyncio.Event()
    app.state.done = []
    yield


@get("/page", media_type=MediaType.HTML)
async def page() -> str:
    """A page."""
    return "<title>page</title>"


@get("/items/{number:int}")
async def item(request: Request[Any, Any, Any]) -> dict[str, int]:
    """A document of an API."""
    return {"item": request.path_params["number"]}


@get("/boom")
async def boom() -> None:
    """A failure."""
    raise RuntimeError("kaboom with hunter2")


@get("/stream")
async def stream(state: State) -> Stream:
    """Two events, the second of which waits for the gate."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        await state.gate.wait()
        yield b"data: second\n\n"

    return Stream(events(), media_type="text/event-stream")


@get("/open")
async def open_gate(state: State) -> str:
    """Lets the second event go."""
    state.gate.set()
    return "open"


@get("/later")
async def later(state: State) -> Response[str]:
    """A reply with something to do behind it."""
    return Response("soon", background=BackgroundTask(remember, state))


async def remember(state: State) -> None:
    """What is done behind the reply."""
    state.done.append("task")


@get("/done")
async def done(state: State) -> list[str]:
    """What was done in the background."""
    return list(state.done)


@websocket("/echo")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    """Sends back what it is sent, once."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


@websocket("/deny")
async def deny(socket: WebSocket[Any, Any, Any]) -> None:
    """Accepts nobody."""
    await socket.close()


app = Litestar(
    [page, item, boom, stream, open_gate, later, done, echo, deny], lifespan=[lifespan], openapi_config=None
)


def make_hardened() -> Any:
    """The site of somebody who hardens it in code."""
    return harden(app)
