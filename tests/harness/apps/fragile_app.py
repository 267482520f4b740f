"""Apps that end while they are used, or never begin."""

from __future__ import annotations

import os
import sys
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer, until somebody sends TRACE."""
    if scope["type"] != "http":
        return
    if scope["method"] == "TRACE":
        sys.stderr.write("out of handles\n")
        sys.stderr.flush()
        os._exit(7)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"still here"})
