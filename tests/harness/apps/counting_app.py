"""An app that allows ten requests a minute, and counts them in each of its processes."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import Any

LIMIT, PERIOD = 10, 60.0  # requests, seconds
_BUSY = 0.01  # seconds in which this process takes no other request, so that its siblings do

visits: defaultdict[str, deque[float]] = defaultdict(deque)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer those who have asked for less than their quota."""
    if scope["type"] != "http":
        return
    time.sleep(_BUSY)  # noqa: ASYNC251 - it is meant to be in the way
    now, asked = time.monotonic(), visits[scope["client"][0]]
    while asked and now - asked[0] >= PERIOD:
        asked.popleft()
    full = len(asked) >= LIMIT
    if not full:
        asked.append(now)
    headers = [(b"content-type", b"application/json"), *([(b"retry-after", b"60")] if full else [])]
    await send({"type": "http.response.start", "status": 429 if full else 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
