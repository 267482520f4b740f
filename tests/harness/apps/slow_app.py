"""An app that hangs on every path that begins with SLOW_PATH, and then says so in its log."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer at once, or in a minute."""
    if scope["type"] != "http":
        return
    if scope["path"].startswith(os.environ["SLOW_PATH"]):
        sys.stderr.write("hangs\n")
        sys.stderr.flush()
        await asyncio.sleep(60)
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"x-frame-options", b"DENY")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"quick"})
