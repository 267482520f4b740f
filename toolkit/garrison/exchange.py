"""One request and its reply as the access log sees them: what has passed, when, and how it ended."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import ANSWERS, Progress, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext

# Where a server that knows tells whether the client has left: in the scope, as a callable.
CLIENT_GONE: Final = "garrison.client_gone"

# RFC 6455 section 7.1.5: what stands for a close without a code.
NO_CODE: Final = 1005

Outcome = Literal["completed", "client_gone", "cancelled", "drained", "failed"]


class Exchange(Progress):
    """Counts what passes between a server and an app.

    Args:
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: where the reply goes.
        clock: seconds that never go back.
        tell: called once, when the last byte of the reply is out or there will be none.

    Attributes:
        status: the HTTP status code of the reply; None until there is one.
        size: bytes of the reply's body; a file that the server sends by itself is not counted.
        ended: whether the last byte is out.
        close_code: what closed a WebSocket, whoever did; None until somebody has.
        scope: of the request.
        context: of the request.
        in_vain: whether the client had gone before the reply began, so that nobody got it.
        received: bytes of the request's body that somebody read.
        first_byte: seconds until the reply began; None if it never did.
        duration: seconds until the end.
    """

    __slots__ = (
        "_clock",
        "_left",
        "_lost",
        "_receive",
        "_send",
        "_start",
        "_started",
        "_tell",
        "_told",
        "_torn",
        "close_code",
        "context",
        "duration",
        "first_byte",
        "in_vain",
        "received",
        "scope",
    )

    def __init__(
        self,
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
        clock: Callable[[], float],
        tell: Callable[[Exchange], None],
    ) -> None:
        # Those of `Progress`, without the call.
        self.status = None
        self.size = 0
        self.ended = self._trailers = False
        self.scope = scope
        self.context = context
        self._receive = receive
        self._send = send
        self._clock = clock
        self._tell = tell
        self._left: Callable[[], bool] | None = scope.get(CLIENT_GONE)
        self._start: Message | None = None
        self._lost = False
        self.in_vain = False
        self._torn: BaseException | None = None
        self._told = False
        self.close_code: int | None = None
        self.received = 0
        self.first_byte: float | None = None
        self.duration = 0.0
        self._started = clock()

    async def receive(self) -> Message:
        """The `receive` of the app."""
        message = await self._receive()
        kind = message["type"]
        if kind == "http.request":
            self.received += len(message.get("body", b""))
        elif kind == "http.disconnect":
            # It also comes when the reply is whole and an app asks once more.
            if not self._is_whole:
                self.context.gone = True
        elif kind == "websocket.disconnect":
            if self.close_code is None:
                self.close_code = message.get("code", NO_CODE)
            if self.status is None:
                self.context.gone = True
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        kind = message["type"]
        begins = kind in ANSWERS
        if begins:
            self._start = message
        left = self._left
        # What is for a client that has left servers take, and nobody gets it.
        in_vain = self.context.gone or (left is not None and left())
        if in_vain and not self._is_whole:
            self.context.gone = self._lost = True
            self.in_vain = self.in_vain or begins
        try:
            await self._send(message)
        except OSError as error:
            # What ASGI has servers raise for a client that is gone (HTTP connection scope, send).
            if not self._is_whole:
                self.context.gone = True
            self._torn = error
            raise
        size = self.size
        last = self.sent(message)
        if in_vain:
            self.size = size
        elif begins:
            self.first_byte = self._clock() - self._started
        if last:
            self.end()
        elif kind == "websocket.close" and self.close_code is None:
            self.close_code = message.get("code", 1000)

    def failed(self, error: BaseException) -> None:
        """Take note of what the app raised; that its client is gone is no failure.

        Args:
            error: as it came out of the app.
        """
        if error is not self._torn:
            self.context.exception = self.context.exception or error

    def end(self) -> None:
        """Tell of the exchange, unless that has been done."""
        if not self._told:
            self._told = True
            if self._left is not None and not self._is_whole and self._left():
                self.context.gone = True
            self.duration = self._clock() - self._started
            self._tell(self)

    @property
    def lasts(self) -> bool:
        """Whether it is meant to last, as an open WebSocket and a stream of events are."""
        if self._start is None:
            return False
        if self._start["type"] == "websocket.accept":
            return True
        lines = ((name.lower(), value) for name, value in self._start.get("headers", ()))
        return (header(lines, b"content-type") or b"").startswith(b"text/event-stream")

    @property
    def _is_whole(self) -> bool:
        """Whether the client has all of the reply, be it that the app has one more message without bytes."""
        if self.ended or self.status is None or self._start is None:
            return self.ended
        given = self._start.get("headers", ())
        # ASGI has an iterable, and one that can be read only once is for the server.
        if self._start["type"] != "http.response.start" or not isinstance(given, list | tuple):
            return False
        length = header([(name.lower(), value) for name, value in given], b"content-length")
        if length is None:
            return False
        return self.scope["method"] == "HEAD" or length == b"%d" % self.size

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        if self._lost:
            return "client_gone"
        if self.context.drained:
            return "drained"
        if self._is_whole:
            return "completed"
        if self.context.gone:
            return "client_gone"
        if isinstance(self.context.exception, asyncio.CancelledError):
            return "cancelled"
        if self.scope["type"] == "websocket" and self.status is not None:
            return "failed" if self.context.exception is not None else "completed"
        return "failed"
