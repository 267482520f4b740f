"""A small shop in Starlette, which knows nothing of Garrison up to its last line."""

from __future__ import annotations

import logging
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from garrison import harden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Say when the shop opens and closes."""
    log.info("the shop opens")
    yield
    log.info("the shop closes")


async def home(_: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse("<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>")


async def listed(_: Request) -> JSONResponse:
    """Everything there is."""
    return JSONResponse([{"number": number, "name": name} for number, name in items.items()])


async def added(request: Request) -> JSONResponse:
    """A new item."""
    try:
        name = (await request.json())["name"]
    except (ValueError, KeyError, TypeError):
        name = None
    if not isinstance(name, str) or not 1 <= len(name) <= 80:
        raise HTTPException(422, "name: from 1 to 80 characters")
    number = len(items) + 1
    items[number] = name
    return JSONResponse({"number": number, "name": name}, 201)


async def item(request: Request) -> JSONResponse:
    """One item."""
    number: int = request.path_params["number"]
    log.info("item %d is looked at", number)
    if number not in items:
        raise HTTPException(404)
    return JSONResponse({"number": number, "name": items[number]})


async def upload(request: Request) -> JSONResponse:
    """A picture of an item, of which the size is told."""
    async with request.form() as form:
        picture = form["picture"]
        if isinstance(picture, str):
            raise HTTPException(422, "picture: a file")
        return JSONResponse({"size": len(await picture.read())})


async def login(_: Request) -> Response:
    """A session for whoever asks."""
    reply = Response(status_code=204)
    reply.set_cookie("session", secrets.token_urlsafe())
    return reply


async def boom(_: Request) -> Response:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


async def stream(_: Request) -> StreamingResponse:
    """Three events."""

    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def echo(websocket: WebSocket) -> None:
    """Sends back what it is sent."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/items", listed),
        Route("/items", added, methods=["POST"]),
        Route("/items/{number:int}", item),
        Route("/upload", upload, methods=["POST"]),
        Route("/login", login, methods=["POST"]),
        Route("/boom", boom),
        Route("/stream", stream),
        WebSocketRoute("/echo", echo),
    ],
    lifespan=lifespan,
)

hardened = harden(app)
