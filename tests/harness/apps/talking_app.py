"""An app that tells what it was asked: TALK says whether it logs that, prints it, or fails with it."""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.parse import unquote

logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
LOG = logging.getLogger("shop")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Tell of the query and the credentials, then answer."""
    if scope["type"] != "http":
        return
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    told = f"{unquote(scope['query_string'].decode())} for {headers.get('authorization', 'nobody')}"
    if os.environ["TALK"] == "log":
        LOG.info("asked for %s", told)
    elif os.environ["TALK"] == "print":
        print("asked for", told, flush=True)  # noqa: T201 - that is what it is for
    elif "Bearer" in told:
        raise ValueError(f"no such user: {told}")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})
