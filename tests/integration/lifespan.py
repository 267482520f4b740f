"""A plain app, and its lifespan as a server runs it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.toolkit.driver import replies_with

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

SERVES = replies_with()


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that serves every request alike, and takes part in the lifespan."""
    if scope["type"] != "lifespan":
        await SERVES(scope, receive, send)
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


@asynccontextmanager
async def alive(app: ASGIApp) -> AsyncIterator[None]:
    """Start the app up, and shut it down."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, told.get, said.put))

    async def tell(event: str) -> None:
        await told.put({"type": f"lifespan.{event}"})
        assert await said.get() == {"type": f"lifespan.{event}.complete"}

    await tell("startup")
    try:
        yield
    finally:
        await tell("shutdown")
        await task
