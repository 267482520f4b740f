"""The same app twice: as it is, and 200 ms slower, which is what a very dear layer would do."""

from __future__ import annotations

import asyncio
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Say hello."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def slow(scope: Any, receive: Any, send: Any) -> None:
    """Say hello 200 ms later."""
    if scope["type"] == "http":
        await asyncio.sleep(0.2)
    await app(scope, receive, send)
