"""An app that shows its page, which says what it was started with, to who has the key."""

from __future__ import annotations

import os
from typing import Any


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer 401 to strangers."""
    if scope["type"] != "http":
        return
    known = (b"x-key", b"opensesame") in scope["headers"]
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"x-frame-options", b"DENY")]
    if "SHOP_BANNER" in os.environ:
        headers.append((b"x-powered-by", os.environ["SHOP_BANNER"].encode()))
    await send({"type": "http.response.start", "status": 200 if known else 401, "headers": headers})
    await send({"type": "http.response.body", "body": b"<!doctype html><title>Shop</title>"})
