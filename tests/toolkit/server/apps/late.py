"""What is served where a start takes long: an app that starts once there is a file."""

from __future__ import annotations

import asyncio
import os
from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Start and stop."""
    if scope["type"] != "lifespan":
        raise NotImplementedError
    await receive()
    gate = os.environ["SHOP_MAY_START"]
    while not os.path.exists(gate):  # noqa: ASYNC110, ASYNC240, PTH110 - a file has no event
        await asyncio.sleep(0.02)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
