"""What a browser asks before a page of another origin may send a request (Fetch, CORS-preflight request)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.asgi import Scope


def preflight_method(scope: Scope) -> str | None:
    """The method that a preflight asks for; None where the request is no preflight.

    Args:
        scope: of type `http` or `websocket`.
    """
    if scope.get("method") != "OPTIONS":
        return None
    asked = None
    from_page = False
    for name, value in scope["headers"]:
        if name == b"access-control-request-method":
            asked = value.decode("latin-1")
        elif name == b"origin":
            from_page = True
    return asked if from_page else None
