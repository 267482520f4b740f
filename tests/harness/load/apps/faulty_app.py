"""A small app that breaks one promise to each kind of user."""

from __future__ import annotations

import asyncio
import json
from typing import Any

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/items": {"post": {}},
        "/items/{id}": {"get": {}},
        "/json": {"get": {}},
        "/made/{id}": {"get": {}},
    },
}
PAGE = (
    b'<link rel=stylesheet href="/unasked.css"><script src="/fleeting.js"></script><a href="/broken">more</a>'
)
PLAIN: dict[str, tuple[int, bytes, bytes]] = {
    "/": (200, b"text/html", PAGE),
    "/openapi.json": (200, b"application/json", json.dumps(DOCUMENT).encode()),
    "/items": (201, b"application/json", b'{"id": 7}'),  # and it is lost
    "/json": (200, b"application/json", b"{oops"),
    "/broken": (500, b"text/plain", b"no"),
    "/unasked.css": (304, b"text/css", b""),
    "/mute": (429, b"text/plain", b"later"),
    "/odd": (429, b"text/plain", b"later"),
    "/never": (429, b"text/plain", b"later"),
}
RETRY = {"/odd": b"in a while", "/never": b"0"}
asked: dict[str, int] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve faults by path."""
    if scope["type"] == "websocket":
        await _talk(scope, receive, send)
    if scope["type"] != "http":
        return
    headers = dict(scope["headers"])
    if len(headers.get(b"x-garrison", b"")) > 1000:
        await asyncio.sleep(1)
    path = scope["path"]
    status, kind, body = PLAIN.get(path, (404, b"text/plain", b""))
    if b"host" not in headers:
        status = 500
    asked[path] = asked.get(path, 0) + 1
    if path == "/fleeting.js" and asked[path] == 1:
        status = 200
    if path == "/wait":  # for a body that never comes
        while (await receive()).get("more_body"):
            pass
    more = [(b"retry-after", RETRY[path])] if path in RETRY else []
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *more]})
    await send({"type": "http.response.body", "body": body})


async def _talk(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    if scope["path"] == "/refused":
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        if scope["path"] == "/ends":
            await send({"type": "websocket.close", "code": 1011})
            return
        await send({"type": "websocket.send", "text": "something else"})
