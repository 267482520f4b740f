"""What is served to clients that read nothing: a reply without an end, and how much of it was taken."""

from __future__ import annotations

from typing import Any

PIECE = bytes(16 * 1024)

taken = 0


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Pour, or answer `/taken` with the bytes that the server took."""
    global taken  # noqa: PLW0603 - one app in one process
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
    if scope["path"] == "/taken":
        await send({"type": "http.response.body", "body": b"%d" % taken})
        return
    while True:
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        taken += len(PIECE)
