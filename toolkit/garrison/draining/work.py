"""One request under way that can be told to end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from garrison.asgi import header, headers_without
from garrison.draining.running_task import running_task
from garrison.failures import comes_of
from garrison.problems import Problem, reject
from garrison.rules import routed_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from garrison.asgi import Headers, Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.rules import Rule

# How long what was told to end has for it. Then it is cancelled: a second later nothing endless is left.
PATIENCE: Final = 0.9

# RFC 6455 section 7.4.1 and IANA's registry: the service restarts, and whoever wants to may connect again.
RESTART: Final = 1012

# What decides which kind of reply it is.
BEGINNINGS: Final = frozenset({"http.response.start", "websocket.accept"})

CONNECTION: Final = frozenset({b"connection", b"keep-alive"})
CLOSING: Final = (b"connection", b"close")

TOO_LATE: Final = Problem(status=503, detail="This instance is shutting down.")
# Another instance takes it at once.
RETRY: Final = [(b"retry-after", b"1")]


class DrainedError(OSError):
    """What an app gets that sends although it was told that its client is gone (ASGI 3.0, HTTP, send)."""


class Work:
    """The app's side of one request.

    Args:
        ending: whether the drain delay is over, as a list with that in it.
        endless: rules for requests that do not end by themselves.
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: where the reply goes.

    Attributes:
        task: that runs the app.
        told: whether the app was told to end.
    """

    __slots__ = (
        "_cancelled",
        "_context",
        "_cut",
        "_ending",
        "_endless",
        "_error",
        "_interrupted",
        "_last",
        "_late",
        "_raw_receive",
        "_raw_send",
        "_scope",
        "_start",
        "_waiting",
        "task",
        "told",
    )

    def __init__(
        self,
        ending: list[bool],
        endless: tuple[Rule, ...],
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
    ) -> None:
        self._ending = ending
        self._endless = endless
        self._scope = scope
        self._context = context
        self._raw_receive = receive
        self._raw_send = send
        self._start: Message | None = None
        self._last: Message | None = None
        self._late: Message | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._interrupted: asyncio.Task[Any] | None = None
        self._error: DrainedError | None = None
        self._cancelled = False
        self._cut = False
        self.task = running_task()
        self.told = False

    async def receive(self) -> Message:
        """The `receive` of the app, which ends with a disconnect once the app is told to end."""
        if self.told:
            return self._disconnect()
        self._waiting = running_task()
        try:
            return await self._raw_receive()
        except asyncio.CancelledError:
            task = self._interrupted
            if task is None or task is not running_task():
                raise
            self._interrupted = None
            if task.uncancel() > 0:  # somebody else wants it to end altogether
                raise
            return self._disconnect()
        finally:
            self._waiting = None

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` of the app; not a coroutine function, because that would cost each message another."""
        if self.told:
            return self._send_after(message)
        self._last = message
        if self._start is None and message["type"] in BEGINNINGS:
            self._start = message
            if self._ending:
                return self._start_late(message)
        return self._raw_send(message)

    @property
    def has_begun(self) -> bool:
        """Whether the app has sent the beginning of its reply."""
        return self._start is not None

    @property
    def is_endless(self) -> bool:
        """Whether it would go on for ever: an open WebSocket, a stream of events, or what a rule says."""
        if self._has_ended:
            return False
        if self._start is not None:
            if self._start["type"] == "websocket.accept":
                return True
            lines = [(name.lower(), value) for name, value in self._start.get("headers", ())]
            if header(lines, b"content-length") is not None:
                return False
            if (header(lines, b"content-type") or b"").startswith(b"text/event-stream"):
                return True
        return self._is_declared

    @property
    def _is_declared(self) -> bool:
        if not self._endless or self._scope["type"] == "websocket":
            return False
        context = self._context
        path = routed_path({"path": context.path, "root_path": context.root_path})
        return any(rule.applies(context.method, path) for rule in self._endless)

    def close_connection(self) -> None:
        """Have whoever replies close the connection, be it a layer above that answers for the app."""
        self._context.closing = self._scope.get("http_version", "1.1").startswith("1")

    def tell(self) -> None:
        """Tell the app that its client is gone, and cancel it a little later if it goes on."""
        if self.told or self.task is None or self._context.gone:
            return
        self.told = self._context.drained = True
        if self._waiting is not None:
            self._interrupted = self._waiting
            self._waiting.cancel()
        asyncio.get_running_loop().call_later(PATIENCE, self._cancel_told)

    def cut(self) -> None:
        """Cancel the app, because the grace is over; who has had no reply yet is told so."""
        task = self.task
        if task is None or self._cancelled:
            return
        if not task.cancelling():
            self.told = self._cut = self._cancelled = True
        task.cancel("the grace is over")

    async def settle(self, error: BaseException | None = None) -> None:
        """Close what the app has left after it was told to end, or was cut.

        Args:
            error: what it has raised; None where it has returned.

        Raises:
            BaseException: the same, unless it is what became of the telling.
        """
        # As `asyncio.timeout` does, which is right about who else may have cancelled (bpo-46771).
        task = running_task() if self._cancelled else None
        by_others = task is None or task.uncancel() > 0
        # Half a download must not look like a whole one: only the server can end it, with its connection.
        half = self._cut and self._start is not None and self._start["type"] == "http.response.start"
        if isinstance(error, asyncio.CancelledError):
            if by_others or half:
                raise error
            error = None
        if not half:
            await self._close()
        if error is not None and not comes_of(error, self._error):
            raise error

    async def _close(self) -> None:
        """End the reply, or the WebSocket, as one that is whole."""
        if self._has_ended:
            return
        if self._start is None:
            scope, receive, send = self._scope, self._raw_receive, self._raw_send
            await reject(scope, receive, send, self._context, "overload", TOO_LATE, RETRY, "abandoned")
        elif self._start["type"] == "websocket.accept":
            await self._raw_send({"type": "websocket.close", "code": RESTART, "reason": ""})
        else:
            await self._raw_send({"type": "http.response.body", "body": b"", "more_body": False})

    def _cancel_told(self) -> None:
        if self.task is not None and not self._cancelled:
            self._cancelled = True
            self.task.cancel()

    async def _start_late(self, message: Message) -> None:
        """Begin a reply when the drain delay is over; a stream is told to end at once."""
        await self._raw_send(closing_start(self._scope, message))
        # What a rule declares may be short, and is told a little later.
        if self.is_endless and not self._is_declared:
            self.tell()

    async def _send_after(self, message: Message) -> None:
        """What an app sends that was told to end: a close of its own, or a reply that had not begun."""
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            self._start = self._late = message
            await self._raw_send(closing_start(self._scope, message))
            return
        if self._late is not None or (kind == "websocket.close" and not self._has_ended):
            self._last = message
            await self._raw_send(message)
            return
        if self._error is None:
            self._error = DrainedError("the process is shutting down")
        raise self._error

    @property
    def _has_ended(self) -> bool:
        """Whether the app has sent its last message."""
        last = self._last
        if last is None:
            return False
        kind: str = last["type"]
        if kind.endswith("http.response.body"):
            return not last.get("more_body", False)
        return kind in {"websocket.close", "http.response.pathsend", "http.response.trailers"}

    def _disconnect(self) -> Message:
        if self._scope["type"] == "websocket":
            return {"type": "websocket.disconnect", "code": RESTART, "reason": ""}
        return {"type": "http.disconnect"}


def closing(scope: Scope, send: Send) -> Send:
    """A `send` whose reply is the last of its connection.

    Args:
        scope: of the request.
        send: where the reply goes.
    """

    def send_closing(message: Message) -> Awaitable[None]:
        return send(closing_start(scope, message))

    return send_closing


def closing_start(scope: Scope, message: Message) -> Message:
    """The same start of a reply with `connection: close`, where the protocol has such a line.

    Args:
        scope: of the request.
        message: an `http.response.start`; any other is given back.
    """
    if message["type"] != "http.response.start" or not scope.get("http_version", "1.1").startswith("1"):
        return message
    return {**message, "headers": closing_headers(message.get("headers", ()))}


def closing_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header lines of a reply after which the connection ends (RFC 9112 section 9.6)."""
    return [*headers_without(headers, CONNECTION), CLOSING]
