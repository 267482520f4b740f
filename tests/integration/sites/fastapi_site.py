"""The site in FastAPI."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import BackgroundTasks, FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

from garrison import harden


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """What the routes share: a gate, and what was done in the background."""
    yield {"gate": asyncio.Event(), "done": []}


app = FastAPI(lifespan=lifespan)


@app.get("/page")
async def page() -> HTMLResponse:
    """A page."""
    return HTMLResponse("<title>page</title>")


@app.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    """A document of an API."""
    return {"item": number}


@app.get("/boom")
async def boom() -> None:
    """A failure."""
    raise RuntimeError("kaboom with hunter2")


@app.get("/stream")
async def stream(request: Request) -> StreamingResponse:
    """Two events, the second of which waits for the gate."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: first\n\n"
        await request.state.gate.wait()
        yield b"data: second\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.get("/open")
async def open_gate(request: Request) -> PlainTextResponse:
    """Lets the second event go."""
    request.state.gate.set()
    return PlainTextResponse("open")


@app.get("/later")
async def later(request: Request, tasks: BackgroundTasks) -> PlainTextResponse:
    """A reply with something to do behind it."""
    tasks.add_task(request.state.done.append, "task")
    return PlainTextResponse("soon")


@app.get("/done")
async def done(request: Request) -> list[str]:
    """What was done in the background."""
    return list(request.state.done)


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    """Sends back what it is sent, once."""
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


@app.websocket("/deny")
async def deny(websocket: WebSocket) -> None:
    """Accepts nobody."""
    await websocket.close()


def make_hardened() -> Any:
    """The site of somebody who hardens it in code."""
    return harden(app)
