"""Counts a body as it streams through, and cuts it off where it is too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Send


class BodyTooLargeError(Exception):
    """Ends an app that reads on beyond the limit; the layer that raised it answers."""


class CountedBody:
    """One request's body, cut off where it exceeds its limit, and the reply that this may replace.

    Args:
        receive: of the request.
        send: where the reply goes.
        limit: bytes.

    Attributes:
        exceeded: whether there was more, which the app has not seen.
        started: whether any of the app's reply is out.
    """

    __slots__ = ("_limit", "_receive", "_send", "_size", "exceeded", "started")

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._size = 0
        self.exceeded = False
        self.started = False

    async def receive(self) -> Message:
        """The `receive` of the app."""
        if not self.exceeded:
            message = await self._receive()
            if message["type"] == "http.request":
                self._size += len(message.get("body", b""))
            if self._size <= self._limit:
                return message
            self.exceeded = True
        if self.started:
            # Its status is out; all that can be said is that nothing more will come.
            return {"type": "http.disconnect"}
        raise BodyTooLargeError

    async def send(self, message: Message) -> None:
        """The `send` of the app; what it answers to a body that was cut off is not sent."""
        if self.exceeded and not self.started:
            return
        self.started = True
        await self._send(message)
