"""A small site whose documented paths fail, each in its own way."""

from __future__ import annotations

import json
from typing import Any

LONG = "/long/" + "x" * 100
REPLIES = {
    "/openapi.json": (200, json.dumps({"paths": {path: {"get": {}} for path in ("/boom", LONG)}}).encode()),
    "/boom": (200, b"{oops"),
    LONG: (500, b"{}"),
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer as the path deserves, always as JSON."""
    if scope["type"] != "http":
        return
    status, body = REPLIES.get(scope["path"], (200, b"{}"))
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
