"""An app that says what its process has imported, and logs through structlog when it is asked to."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

_at_startup: set[str] = set()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/` is all modules, `/since` those since the startup, and `/late` logs with what it imports first."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            _at_startup.update(sys.modules)
            await send({"type": f"lifespan.{step}.complete"})
        return
    body: Any = sorted(sys.modules)
    if scope["path"] == "/since":
        body = sorted(set(sys.modules) - _at_startup)
    if scope["path"] == "/late":
        import structlog  # noqa: PLC0415 - what this is about

        structlog.get_logger("shop.late").info("said", password="x")
    reply = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": reply})
