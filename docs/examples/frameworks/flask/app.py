"""A small shop in Flask, which knows nothing of Garrison but what it logs."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING

from flask import Flask, Response, abort, request

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}
app = Flask(__name__)
log.info("the shop opens")


@app.before_request
def tell_route() -> None:
    """Let the log have the template of the route, which Flask keeps to itself."""
    if request.url_rule is not None and "asgi.scope" in request.environ:
        request.environ["asgi.scope"]["path_template"] = request.url_rule.rule


@app.get("/")
def home() -> str:
    """The page."""
    return "<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>"


@app.get("/items")
def listed() -> list[dict[str, object]]:
    """Everything there is."""
    return [{"number": number, "name": name} for number, name in items.items()]


@app.post("/items")
def added() -> tuple[dict[str, object], int]:
    """A new item."""
    found = request.get_json()
    name = found.get("name") if isinstance(found, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= 80:
        abort(422, "name: from 1 to 80 characters")
    number = len(items) + 1
    items[number] = name
    return {"number": number, "name": name}, 201


@app.get("/items/<int:number>")
def item(number: int) -> dict[str, object]:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in items:
        abort(404)
    return {"number": number, "name": items[number]}


@app.post("/upload")
def upload() -> dict[str, int]:
    """A picture of an item, of which the size is told."""
    return {"size": len(request.files["picture"].read())}


@app.post("/login")
def login() -> Response:
    """A session for whoever asks."""
    reply = Response(status=204)
    reply.set_cookie("session", secrets.token_urlsafe())
    return reply


@app.get("/boom")
def boom() -> str:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@app.get("/stream")
def stream() -> Response:
    """Three events."""

    def events() -> Iterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return Response(events(), mimetype="text/event-stream")
