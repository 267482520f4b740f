"""Tells the layers when a client has left, which uvicorn knows and says to nobody who does not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.exchange import CLIENT_GONE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Receive, Scope, Send


class Departures:
    """An ASGI app that adds to the scope of each request whether its client is gone.

    What an app sends to a client that has left uvicorn takes and drops without a word, and so an access log
    would have a 200 for a reply that nobody got.

    Args:
        app: the hardened app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle `http`; every other scope passes through."""
        if scope["type"] == "http":
            # The cycle of one request and its reply (uvicorn, protocols/http).
            cycle: Any = getattr(send, "__self__", None)
            if hasattr(cycle, "disconnected"):
                scope[CLIENT_GONE] = lambda: bool(cycle.disconnected)
        return self.app(scope, receive, send)
