"""Serves WSGI apps, such as those of Flask and Django, as ASGI apps."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.buffer_budget import RETRY_AFTER
from garrison.context import enter
from garrison.extras import needs
from garrison.problems import Problem, reject
from garrison.server.intake import HELD, Intake, NoFileError
from garrison.server.loading import TargetError
from garrison.timing.body import expects_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from garrison.asgi import ASGIApp, Receive, Rest, Scope, Send

FULL: Final = Problem(status=503, detail="The server has no room for a body of this size at the moment.")
ADVICE: Final = (
    f"a body of more than {HELD // 1024} KiB needs a file: make room for it, mount a writable folder at /tmp"
    " (docker run --tmpfs /tmp), or name one in TMPDIR"
)

_log = logging.getLogger("garrison")


class FromWSGI:
    """An ASGI app that calls a WSGI app in threads, with requests whose bodies are there.

    Args:
        app: the WSGI app (PEP 3333).
        threads: how many requests are handled at a time.

    Attributes:
        app: the WSGI app.

    Raises:
        TargetError: a2wsgi is not installed.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], threads: int) -> None:
        try:
            from a2wsgi import WSGIMiddleware  # noqa: PLC0415 - only WSGI apps need it

            from garrison.server.wsgi_reply import Responder  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            raise TargetError(needs("a WSGI app", error.name, "server")) from None
        self.app = app
        self._responder = Responder
        adapter = WSGIMiddleware(cast("Any", app), workers=threads)
        self._executor = adapter.executor
        self._rest = cast("ASGIApp", adapter)
        self._intake = Intake()
        self._told = False

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle `http`; WebSockets are closed, and the lifespan is answered."""
        if scope["type"] != "http":
            return self._rest(scope, receive, send)
        # In a WSGI environ `x_forwarded_for` is the same as `x-forwarded-for`, which no layer has seen.
        kept = [line for line in scope["headers"] if b"_" not in line[0]]
        seen = scope if len(kept) == len(scope["headers"]) else {**scope, "headers": kept}
        if expects_body(seen):
            return self._take_and_call(scope, seen, receive, send)
        return self._responder(self.app, self._executor, None, scope)(seen, receive, send)

    async def _take_and_call(self, scope: Scope, seen: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self._intake.take(receive)
        except NoFileError as error:
            await self._refuse(scope, receive, send, error)
            return
        try:
            await self._responder(self.app, self._executor, body, scope)(seen, receive, send)
        finally:
            body.close()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, error: NoFileError) -> None:
        if not self._told:  # whoever has to act knows, and clients can cause it as often as they like
            self._told = True
            _log.error("body_not_kept", extra={"reason": str(error.reason), "advice": ADVICE})
        scope, context = enter(scope)
        rest: Rest = "read" if error.whole else "abandoned"
        await reject(scope, receive, send, context, "server", FULL, RETRY_AFTER, rest)
