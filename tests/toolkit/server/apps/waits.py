"""What is served where a server is stopped: replies that take as long as they are asked to."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from urllib.parse import parse_qs


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer `/?seconds=0.5` after so long, with the id of the process."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    seconds = parse_qs(scope["query_string"].decode()).get("seconds", ["0"])[0]
    await asyncio.sleep(float(seconds))
    body = str(os.getpid()).encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive: Any, send: Any) -> None:
    """Say when it is over, to a file if one is named."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
