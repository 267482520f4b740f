"""A site with everything that a drain meets: short and long requests, downloads, streams, WebSockets."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from garrison import Health, Server, Settings, harden

if TYPE_CHECKING:
    from garrison import Hardened
    from garrison.asgi import Receive, Scope, Send

# How long the slow ones take, in seconds: longer than the drain delay, shorter than the grace.
SLOW = float(os.environ.get("DRAINING_SITE_SLOW", "2.6"))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/slow`, `/download`, `/events`, `/chat`, and everything else at once."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await _chat(receive, send)
    elif scope["path"] == "/events":
        await _stream(send)
    else:
        if scope["path"] == "/slow":
            await asyncio.sleep(SLOW)
        lines = [(b"content-type", b"text/plain"), (b"content-length", b"6")]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b"who", "more_body": True})
        if scope["path"] == "/download":
            await asyncio.sleep(SLOW)
        await send({"type": "http.response.body", "body": b"le."})


async def _live(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    # What a test sees of the app's own shutdown.
    told = os.environ.get("DRAINING_SITE_SHUTDOWN")
    if told:
        Path(told).touch()  # noqa: ASYNC240 - nothing else runs any more
    await send({"type": "lifespan.shutdown.complete"})


async def _chat(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})


async def _stream(send: Send) -> None:
    """Never ends, and never asks whether its client is there."""
    lines = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": lines})
    await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
    await asyncio.sleep(3600)


def make_app() -> Hardened:
    """The site for a server that is not ours, with a short drain."""
    health = Health(signals=True, drain_file=os.environ.get("DRAINING_SITE_FILE", ""))
    return harden(app, Settings(health=health, server=Server(drain_delay=2.0, grace=8.0)))
