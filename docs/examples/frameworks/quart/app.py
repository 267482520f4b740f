"""A small shop in Quart, which knows nothing of Garrison but what it logs, up to its last line."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from quart import Quart, Response, abort, request, websocket

from garrison import harden

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}
app = Quart(__name__)


@app.before_serving
async def opens() -> None:
    """Say when the shop opens."""
    log.info("the shop opens")


@app.after_serving
async def closes() -> None:
    """Say when it closes."""
    log.info("the shop closes")


@app.before_request
async def tell_route() -> None:
    """Let the log have the template of the route, which Quart keeps to itself."""
    if request.url_rule is not None:
        request.scope["path_template"] = request.url_rule.rule  # type: ignore[typeddict-unknown-key]


@app.get("/")
async def home() -> str:
    """The page."""
    return "<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>"


@app.get("/items")
async def listed() -> list[dict[str, object]]:
    """Everything there is."""
    return [{"number": number, "name": name} for number, name in items.items()]


@app.post("/items")
async def added() -> tuple[dict[str, object], int]:
    """A new item."""
    found = await request.get_json()
    name = found.get("name") if isinstance(found, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= 80:
        abort(422, "name: from 1 to 80 characters")
    number = len(items) + 1
    items[number] = name
    return {"number": number, "name": name}, 201


@app.get("/items/<int:number>")
async def item(number: int) -> dict[str, object]:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in items:
        abort(404)
    return {"number": number, "name": items[number]}


@app.post("/upload")
async def upload() -> dict[str, int]:
    """A picture of an item, of which the size is told."""
    return {"size": len((await request.files)["picture"].read())}


@app.post("/login")
async def login() -> Response:
    """A session for whoever asks."""
    reply = Response(status=204)
    reply.set_cookie("session", secrets.token_urlsafe())
    return reply


@app.get("/boom")
async def boom() -> str:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@app.get("/stream")
async def stream() -> Response:
    """Three events."""

    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return Response(events(), mimetype="text/event-stream")


@app.websocket("/echo")
async def echo() -> None:
    """Sends back what it is sent."""
    while True:
        await websocket.send(await websocket.receive())


hardened = harden(app)
