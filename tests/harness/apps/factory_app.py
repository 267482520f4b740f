"""An app that has to be made first."""

from __future__ import annotations

from typing import Any


def create() -> Any:
    """The app."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})

    return app
