"""An app that fails in every way, with nothing on it but the errors layer, which logs to standard output."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from garrison import ErrorsMiddleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket


async def half(request: Request) -> Response:
    """Fails when half of the reply is out; its length is known with `?length=1`."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"half of it"
        await asyncio.sleep(0.05)
        raise LookupError("planted-detail")

    headers = {"content-length": "100"} if request.query_params.get("length") else {}
    return StreamingResponse(chunks(), headers=headers)


async def boom(request: Request) -> Response:
    """Fails at once."""
    raise LookupError("planted-detail")


async def teapot(request: Request) -> Response:
    """Raises an answer in a group, as task groups do."""
    async with asyncio.TaskGroup() as group:
        group.create_task(refuse())
    return Response()


async def refuse() -> None:
    """The task."""
    raise HTTPException(418, "Tea only.")


async def slow(request: Request) -> Response:
    """Runs into a timeout of its own."""
    async with asyncio.timeout(0.01):
        await asyncio.sleep(5)
    return Response()


async def upload(request: Request) -> Response:
    """Reads all of the body."""
    return PlainTextResponse(str(len(await request.body())))


async def endless(request: Request) -> Response:
    """Sends until nobody is there."""

    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0.01)

    return StreamingResponse(chunks())


async def socket_fails(websocket: WebSocket) -> None:
    """Fails before the handshake is answered, or after it."""
    if websocket.query_params.get("late"):
        await websocket.accept()
    raise LookupError("planted-detail")


async def fine(request: Request) -> Response:
    """Works."""
    return PlainTextResponse("fine")


def make_app() -> ErrorsMiddleware:
    """The app behind the layer."""
    routes = [
        Route("/", fine),
        Route("/half", half),
        Route("/boom", boom),
        Route("/teapot", teapot),
        Route("/slow", slow),
        Route("/upload", upload, methods=["POST"]),
        Route("/endless", endless),
        WebSocketRoute("/socket", socket_fails),
    ]
    return ErrorsMiddleware(Starlette(routes=routes))
