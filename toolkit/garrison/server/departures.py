"""Tells the layers when a client has left, and the server which connections end with their reply."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from garrison.exchange import CLIENT_GONE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.lifecycle import Lifecycle


class Departures:
    """An ASGI app that adds to the scope of each request whether its client is gone.

    What an app sends to a client that has left uvicorn takes and drops without a word, and so an access log
    would have a 200 for a reply that nobody got.

    Args:
        app: the hardened app.
        lifecycle: where this process is; once it is ending, no connection outlives its reply.
    """

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self.app = app
        self._lifecycle = lifecycle

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle `http`; every other scope passes through."""
        if scope["type"] == "http":
            # The cycle of one request and its reply (uvicorn, protocols/http).
            cycle: Any = getattr(send, "__self__", None)
            if hasattr(cycle, "disconnected"):
                # Weak, because the cycle has the scope: what holds itself waits for the garbage collector,
                # and that costs each request a fifth of what uvicorn takes for it.
                scope[CLIENT_GONE] = partial(_is_gone, ref(cycle))
                if self._lifecycle.phase == "ending":
                    cycle.keep_alive = False
        return self.app(scope, receive, send)


def _is_gone(found: ref[Any]) -> bool:
    cycle = found()
    return cycle is None or bool(cycle.disconnected)
