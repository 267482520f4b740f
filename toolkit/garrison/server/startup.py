"""Reports an app whose own startup fails: once, with its reason, and with secrets masked."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from garrison.redaction import Redactor
from garrison.server.loading import summarize
from garrison.server.logs import keep_speaking

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.redaction import Redaction

_log = logging.getLogger("garrison")


class StartupReport:
    """An ASGI app that keeps the reason of a failed startup, which servers would log as a raw traceback.

    Args:
        app: the hardened app.
        redaction: what is masked in the reason.

    Attributes:
        reason: why the startup failed, on one line; None unless it did.
    """

    def __init__(self, app: ASGIApp, redaction: Redaction) -> None:
        self.app = app
        self.reason: str | None = None
        self._redactor = Redactor(redaction)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `lifespan`; every other scope passes through."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_without_traceback(message: Message) -> None:
            keep_speaking()
            if message["type"] == "lifespan.startup.failed":
                # Frameworks put the whole traceback into the message (ASGI 2.0, Lifespan, "message").
                text = self._redactor.text(message.get("message", "").strip())
                error = sys.exc_info()[1]
                last = text.splitlines()[-1].strip() if text else "the app gave no reason"
                self.reason = last if error is None else summarize(error)
                _log.error("startup_failed", extra={"reason": self.reason, "exception.stacktrace": text})
                message = {"type": message["type"]}
            await send(message)

        await self.app(scope, receive, send_without_traceback)
