"""A body whose sender may stall."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Final

from garrison.problems import Problem, reject
from garrison.timing.interruption import Interruption
from garrison.timing.pace import Pace

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.middleware.timeouts import Timeouts
    from garrison.timing.exchange import TimedExchange
    from garrison.timing.sweep import Sweep

TOO_SLOW: Final = Problem(status=408, detail="The body comes too slowly.")


def expects_body(scope: Scope) -> bool:
    """Whether there may be more of a request than its head.

    HTTP/1.x announces a body (RFC 9112 section 6), later versions need not.

    Args:
        scope: of the request.
    """
    if scope.get("http_version", "1.1") >= "2":
        return True
    for name, value in scope["headers"]:
        if name == b"content-length":
            return bool(value != b"0")
        if name == b"transfer-encoding":
            return True
    return False


class TimedBody:
    """The body of one request.

    Args:
        scope: of the request.
        receive: of the request.
        send: where a refusal goes.
        context: of the request.
        exchange: whose reply the refusal takes the place of.
        sweep: of this loop.
        section: how long the sender may be waited for.

    Attributes:
        given_up: whether the app gets no more of it.
        whole: whether the app has all of it.
        latest: when, on the clock of the sweep, something of it came; None before that.
    """

    __slots__ = (
        "_began",
        "_context",
        "_exchange",
        "_interruption",
        "_pace",
        "_receive",
        "_scope",
        "_send",
        "_sweep",
        "given_up",
        "latest",
        "whole",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        context: RequestContext,
        exchange: TimedExchange,
        sweep: Sweep,
        section: Timeouts,
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._context = context
        self._exchange: TimedExchange | None = exchange
        self._sweep = sweep
        rate = section.body_rate
        self._pace = None if rate is None else Pace(rate, section.body_grace)
        self._interruption = Interruption(sweep.loop)
        self.given_up = False
        self.whole = False
        self.latest: float | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether the app waits for more of it at the moment."""
        return self._interruption.task is not None and not self.whole

    async def receive(self) -> Message:
        """The `receive` of the app."""
        if self.given_up:
            return {"type": "http.disconnect"}
        if self.whole or self.is_awaited:
            return await self._receive()
        self._began = self._sweep.now()
        with self._interruption as interruption:
            try:
                message = await self._receive()
            except CancelledError:
                if not interruption.take_back():
                    raise
                await self._refuse()
                return {"type": "http.disconnect"}
        now = self.latest = self._sweep.now()
        self.whole = not message.get("more_body", False)
        if self._pace is not None:
            self._pace.took(now - self._began, len(message.get("body", b"")))
        return message

    def close(self) -> None:
        """Have it looked at no more, and let go of what nobody asks for again."""
        self._sweep.watched.discard(self)
        # Two that know each other are there until the garbage collector comes, and what they know is too.
        self._exchange = None
        if self.given_up:
            del self._receive, self._send

    def look(self, now: float) -> None:
        """Give the sender up, if it has been waited for too long.

        Args:
            now: seconds on the clock of the sweep.
        """
        exchange = self._exchange
        if self._pace is None or exchange is None or exchange.over or not self.is_awaited:
            return
        if now - self._began > self._pace.left:
            self.given_up = True
            self._interruption.make()

    async def _refuse(self) -> None:
        """Answer at once, whatever the app makes of it; once its own reply has begun, it can only end."""
        self._context.rejected_by = "timeouts"
        exchange = self._exchange
        if exchange is None or exchange.started:
            return
        exchange.over = True
        await reject(
            self._scope, self._receive, self._send, self._context, "timeouts", TOO_SLOW, rest="abandoned"
        )
