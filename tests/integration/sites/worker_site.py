"""A site that says which process replies."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

PID = b"%d" % os.getpid()
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(PID))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """All of it; there is no lifespan."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PID})
