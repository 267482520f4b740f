"""An app for one host name, with a page behind a login."""

from __future__ import annotations

from typing import Any

HOST = b"shop.example"


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 421 to any other host, 401 on `/private`, and a page on `/`."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if dict(scope["headers"]).get(b"host") != HOST:
        status = 421
    else:
        status = {"/": 200, "/private": 401}.get(scope["path"], 404)
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"<p>page"})
