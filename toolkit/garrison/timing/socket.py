"""A WebSocket whose client may be silent, or say too much at once."""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING, Final

from garrison.timing.interruption import Interruption

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Send
    from garrison.context import RequestContext
    from garrison.middleware.timeouts import Timeouts
    from garrison.timing.exchange import TimedExchange
    from garrison.timing.sweep import Sweep

# RFC 6455 section 7.4.1.
GOING_AWAY: Final = 1001
TOO_BIG: Final = 1009

# Bytes that one character takes at most in UTF-8.
WIDEST: Final = 4


class TimedSocket:
    """One WebSocket.

    Args:
        receive: of the connection.
        send: of the connection.
        exchange: what the app sends.
        context: of the connection.
        sweep: of this loop.
        section: how long it may be idle, and how large a message may be.
    """

    __slots__ = (
        "_code",
        "_context",
        "_exchange",
        "_idle",
        "_interruption",
        "_largest",
        "_latest",
        "_receive",
        "_send",
        "_sweep",
    )

    def __init__(
        self,
        receive: Receive,
        send: Send,
        exchange: TimedExchange,
        context: RequestContext,
        sweep: Sweep,
        section: Timeouts,
    ) -> None:
        self._receive = receive
        self._send = send
        self._exchange = exchange
        self._context = context
        self._sweep = sweep
        self._idle = section.websocket_idle
        self._largest = section.websocket_message
        self._latest = sweep.now()
        exchange.watch()
        self._interruption = Interruption(sweep.loop)
        self._code: int | None = None

    async def receive(self) -> Message:
        """The `receive` of the app."""
        if self._code is not None:
            return {"type": "websocket.disconnect", "code": self._code, "reason": ""}
        if self._interruption.task is not None:
            return await self._receive()
        with self._interruption as interruption:
            try:
                message = await self._receive()
            except CancelledError:
                if not interruption.take_back():
                    raise
                return await self._close(GOING_AWAY, "idle")
        self._latest = self._sweep.now()
        if self._largest is not None and _is_larger(message, self._largest):
            return await self._close(TOO_BIG, "the message is too large")
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        await self._exchange.send(message)
        self._latest = self._sweep.now()

    def look(self, now: float) -> None:
        """Close it, if nobody has said anything for too long and the app waits for its client.

        Args:
            now: seconds on the clock of the sweep.
        """
        if self._idle is not None and self._exchange.started and now - self._latest >= self._idle:
            self._interruption.make()

    async def _close(self, code: int, reason: str) -> Message:
        """Close it, and be the client that has left to the app."""
        self._code = code
        self._context.rejected_by = "timeouts"
        if not self._exchange.over:
            self._exchange.over = True
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        return {"type": "websocket.disconnect", "code": code, "reason": reason}


def _is_larger(message: Message, size: int) -> bool:
    data = message.get("bytes")
    if data is not None:
        return len(data) > size
    text = message.get("text")
    if text is None or len(text) * WIDEST <= size:
        return False
    return len(text) > size or len(text.encode("utf-8", "surrogatepass")) > size
