"""One request and its reply, whose other end may stall."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from garrison.timing.body import TimedBody, expects_body

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.middleware.timeouts import Timeouts
    from garrison.timing.sweep import Sweep, Sweeps

# What goes to a server at once. Of a message that is larger it takes all, into memory, and nobody can tell
# whether it is ever read.
PIECE: Final = 256 * 1024
# The layer that looks for leaks in error replies sees more of one that comes whole.
ERRORS: Final = 400

# Where nobody tells what a client's system confirms, only whole pieces can be seen, and of a system's buffers
# a third has to be read before one fits in: at the speed of a modem that takes minutes.
BLIND: Final = 5.0


STARTS: Final = frozenset({"http.response.start", "websocket.accept"})


class GaveUpError(OSError):
    """What an app gets that sends to a client who was given up; servers raise an OSError there too."""


class TimedExchange:
    """What both kinds have in common.

    Attributes:
        sweep: that looks at it; None as long as nothing of it can wait.
        started: whether the app's reply has begun.
        over: whether what the app sends goes nowhere: a reply of ours took its place, or nobody reads it.
        lost: what the app is told that sends all the same.
        body: of the request, once the app has asked for it; None where it has none.
    """

    __slots__ = (
        "_asked",
        "_context",
        "_receive",
        "_scope",
        "_section",
        "_send",
        "_since",
        "_splits",
        "_sweeps",
        "_task",
        "body",
        "lost",
        "over",
        "started",
        "sweep",
    )

    def __init__(
        self,
        section: Timeouts,
        sweeps: Sweeps,
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
    ) -> None:
        self._section = section
        self._sweeps = sweeps
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._asked = False
        self._task: asyncio.Task[Any] | None = None
        self._since: float | None = None
        self._splits = True
        self.sweep: Sweep | None = None
        self.started = False
        self.over = False
        self.lost: GaveUpError | None = None
        self.body: TimedBody | None = None

    def receive(self) -> Awaitable[Message]:
        """The `receive` of the app."""
        # Most apps never ask about a request without a body; so nothing is looked up before they do.
        if not self._asked:
            self._asked = True
            if expects_body(self._scope):
                sweep = self._sweeps.here()
                self.body = TimedBody(
                    self._scope, self._receive, self._send, self._context, self, sweep, self._section
                )
                sweep.add(self.body)
        return self._receive() if self.body is None else self.body.receive()

    def close(self) -> None:
        """Have nothing of it looked at any more; to be called when the app has ended."""
        if self.sweep is not None:
            self.sweep.watched.discard(self)
        if self.body is not None:
            self.body.close()
            if self.body.given_up:
                self._forget()

    def _forget(self) -> None:
        """Let go of the server's `receive` and `send`, which nobody calls for a body that was given up.

        Granian ends such a connection once nobody has the rest of the body any more. It takes the body back
        when the app has ended, unless its own side of the `receive` that was cancelled still holds it: that
        lets go in another thread, on a busy machine often too late. Then the body stays with `receive` and
        `send`, and these with whatever has the app's side of them. Frameworks make reference cycles of it,
        which wait for the garbage collector.
        """
        self.over = True  # so that what is still sent goes nowhere
        self._context.wire = None
        del self._receive, self._send

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` of the app."""
        raise NotImplementedError

    def look(self, now: float) -> None:
        """Give the reader up, if it has taken nothing for too long.

        Args:
            now: seconds on the clock of the sweep.
        """
        raise NotImplementedError

    def give_up(self) -> None:
        """Note that nobody reads the reply."""
        self.lost, self.over = GaveUpError("the client reads nothing"), True
        self._context.rejected_by = "timeouts"
        self._context.gone = True

    def watch(self) -> None:
        """Have its reader looked at, from now on."""
        if self._section.reader is not None:
            self.sweep = self._sweeps.here()
            self.sweep.add(self)

    async def _in_pieces(self, message: Message, send: Send) -> None:
        body = message["body"]
        for start in range(0, len(body), PIECE):
            end = start + PIECE
            more = message.get("more_body", False) or end < len(body)
            await send({**message, "body": body[start:end], "more_body": more})

    async def _refuse(self, message: Message) -> None:
        """Let the end of a reply pass that nobody will see; one that goes on has to be told."""
        if self.lost is None and message.get("more_body", False):
            self.lost = GaveUpError("another reply was sent")
        if self.lost is not None:
            raise self.lost


class BlindExchange(TimedExchange):
    """An exchange of which only the messages can be seen."""

    __slots__ = ("_before",)

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` of the app."""
        if self.over:
            return self._refuse(message)
        if not self.started:
            self.started = message["type"] in STARTS
            self._splits = message.get("status", 200) < ERRORS
            return self._send(message)
        if self._splits and "body" in message and len(message["body"]) > PIECE:
            return self._in_pieces(message, self.send)
        if self.sweep is None:
            if not message.get("more_body", False):
                return self._send(message)
            self.watch()
        return self._watched(message)

    def look(self, now: float) -> None:
        """Have the app's `send` raise, if the server has taken nothing for too long."""
        patience, task = self._section.reader, self._task
        if patience is None or task is None or self.lost is not None:
            return
        if self._since is None:
            self._since, self._before = now, task.cancelling()
        elif now - self._since >= patience * BLIND:
            self.give_up()
            task.cancel()

    async def _watched(self, message: Message) -> None:
        self._since = None
        task = self._task = asyncio.current_task()
        try:
            await self._send(message)
        except asyncio.CancelledError:
            # A cancellation of the server or of the client goes through (`asyncio.Task.uncancel`).
            if self.lost is None or task is None or task.uncancel() > self._before:
                raise
        finally:
            self._task = None
        if self.lost is not None:
            raise self.lost
