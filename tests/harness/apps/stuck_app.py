"""An app that does not go on: STUCK says where, and a line of its process in STUCK_MARK that it is there."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

SURVEY = "garrison_harness.discovery.route_table"


def stuck(place: str) -> None:
    """Stay here for a minute, where that is the place to stay, and say when it is over."""
    if os.environ["STUCK"] == place:
        mark(place)
        time.sleep(60)
        mark(f"{place}, and on")


def mark(text: str) -> None:
    """Write the line in one step: whoever waits for it ends this process as soon as it is there."""
    fresh = Path(os.environ["STUCK_MARK"] + ".new")
    fresh.write_text(text)
    fresh.replace(os.environ["STUCK_MARK"])


stuck("survey" if SURVEY in sys.orig_argv else "import")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Start up, and answer."""
    if scope["type"] == "lifespan":
        stuck("startup")
        return
    stuck("page")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})
