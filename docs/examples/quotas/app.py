"""A small shop whose requests are worth counting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket


async def page(request: Request) -> PlainTextResponse:
    """Answer whatever is asked."""
    return PlainTextResponse(f"{request.url.path}\n")


async def chat(websocket: WebSocket) -> None:
    """Say everything again."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


app = Starlette(
    routes=[
        WebSocketRoute("/ws/chat", chat),
        Route("/{path:path}", page, methods=["GET", "POST"]),
    ]
)
