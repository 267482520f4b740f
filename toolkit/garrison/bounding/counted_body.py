"""Judges a body as it streams through, and cuts it off where something is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.short_body import CUT_SHORT, Refusal, too_large

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import Message, Receive, Rest, Send
    from garrison.problems import Problem


class BodyRefusedError(Exception):
    """Ends an app that reads on; the layer that raised it answers."""


class CountedBody:
    """One request's body, cut off where it is refused, and the reply that this may replace.

    Args:
        receive: of the request.
        send: where the reply goes.
        limit: bytes; None for any number.
        judge: says what is wrong with the body each time that bytes of it arrive; None where nothing can be.

    Attributes:
        started: whether any of the app's reply is out.
    """

    __slots__ = ("_judge", "_left", "_limit", "_problem", "_receive", "_rest", "_send", "started")

    def __init__(
        self,
        receive: Receive,
        send: Send,
        limit: int | None,
        judge: Callable[[bytes], Problem | None] | None = None,
    ) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._left = limit
        self._judge = judge
        self._problem: Problem | None = None
        self._rest: Rest = "unread"
        self.started = False

    @property
    def refusal(self) -> Refusal | None:
        """Why the rest of the body was withheld from the app, and what is still to be said about it."""
        if self._problem is None or self.started:
            return None
        return Refusal(problem=self._problem, rest=self._rest)

    async def receive(self) -> Message:
        """The `receive` of the app."""
        if self._problem is None:
            message = await self._receive()
            if message["type"] != "http.request":
                if message["type"] == "http.disconnect" and self._rest == "unread":
                    # Some servers also say so of a client that is there and whose chunks are broken.
                    self._problem, self._rest = CUT_SHORT, "abandoned"
                return message
            if not message.get("more_body", False):
                self._rest = "read"
            self._problem = self._judged(message.get("body", b""))
            if self._problem is None:
                return message
        if self.started:
            # Its status is out; all that can be said is that nothing more will come.
            return {"type": "http.disconnect"}
        raise BodyRefusedError

    async def send(self, message: Message) -> None:
        """The `send` of the app; what it answers to a body that was cut off is not sent."""
        if self._problem is not None and not self.started:
            return
        self.started = True
        await self._send(message)

    def _judged(self, data: bytes) -> Problem | None:
        if self._left is not None and self._limit is not None:
            self._left -= len(data)
            if self._left < 0:
                return too_large(self._limit)
        return self._judge(data) if self._judge is not None and data else None
