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
# What has begun and is not over, which nobody else would hold on to.
_under_way: set[asyncio.Task[None]] = set()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """`/slow`, `/download`, `/events`, `/defiant`, `/chat`, and everything else at once."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await _chat(receive, send)
    elif scope["path"] == "/events":
        await _stream(send)
    elif scope["path"] == "/defiant":
        await _defy(receive, send)
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


async def _defy(receive: Receive, send: Send) -> None:
    """Hears that it is to end, goes on, and notes what becomes of it."""
    listening = asyncio.create_task(_listen(receive))
    _under_way.add(listening)
    listening.add_done_callback(_under_way.discard)
    try:
        await _stream(send)
    finally:
        _note("cancelled")


async def _listen(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _note("told")
    await asyncio.sleep(1.0)
    # Where the loop was late, what was due before is over now, too.
    for _ in range(20):
        await asyncio.sleep(0)
    _note("a second later")


def _note(what: str) -> None:
    """What a test sees of the order in which things happen here."""
    with Path(os.environ["DRAINING_SITE_NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{what}\n")


def make_app() -> Hardened:
    """The site for a server that is not ours, with a short drain."""
    health = Health(signals=True, drain_file=os.environ.get("DRAINING_SITE_FILE", ""))
    return harden(app, Settings(health=health, server=Server(drain_delay=2.0, grace=8.0)))
