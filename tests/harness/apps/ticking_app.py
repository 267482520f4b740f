"""An app that answers with who asked, is slow on /slow, and allows four requests a second on /quota."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

ASKED: defaultdict[str, list[float]] = defaultdict(list)
LIMIT, PERIOD = 4, 1.0
BALLAST: list[bytes] = []


async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer with the address of the client."""
    if scope["type"] != "http":
        return
    client = scope["client"][0]
    status, headers = 200, [(b"content-type", b"text/plain; charset=utf-8")]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    if scope["path"] == "/fat":
        BALLAST.append(b"x" * 64_000_000)
    if scope["path"] == "/quota":
        now = time.monotonic()
        ASKED[client] = [at for at in ASKED[client] if now - at < PERIOD]
        if len(ASKED[client]) >= LIMIT:
            status = 429
            headers.append((b"retry-after", str(math.ceil(ASKED[client][0] + PERIOD - now)).encode()))
        else:
            ASKED[client].append(now)
    sys.stderr.write(f"asked for {scope['path']}\n")
    sys.stderr.flush()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": client.encode()})
