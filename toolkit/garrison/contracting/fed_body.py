"""Judges a multipart body while it streams to the app, and cuts it off where it is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Send
    from garrison.buffer_budget import Share
    from garrison.openapi.model import Violation
    from garrison.openapi.multipart_body import MultipartReader


class BodyRefusedError(Exception):
    """Ends an app that reads on in a body that was refused; the layer that raised it answers."""


class FedBody:
    """One request's body, and the reply that may be replaced.

    Args:
        receive: of the request.
        send: where the reply goes.
        reader: judges the body.
        share: of what all requests may hold, for what the reader keeps of fields.

    Attributes:
        full: whether there is no room to judge the body.
        violations: what is wrong.
        started: whether any of the app's reply is out.
        unread: whether there is more of the body to come.
    """

    __slots__ = (
        "_kept", "_reader", "_receive", "_send", "_share", "full", "started", "unread", "violations",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, reader: MultipartReader, share: Share) -> None:
        self._receive = receive
        self._send = send
        self._reader = reader
        self._share = share
        self._kept = 0
        self.full = False
        self.violations: tuple[Violation, ...] = ()
        self.started = False
        self.unread = True

    @property
    def refused(self) -> bool:
        """Whether the app gets no more of it."""
        return bool(self.violations) or self.full

    async def receive(self) -> Message:
        """The `receive` of the app; the end of a body comes only once all of it is right."""
        if not self.refused:
            message = await self._receive()
            if message["type"] == "http.request" and self.unread:
                self.unread = message.get("more_body", False)
                self.violations = self._reader.feed(message.get("body", b"")) or (
                    () if self.unread else self._reader.end()
                )
                self.full = not self._share.take(self._reader.kept - self._kept)
                self._kept = self._reader.kept
            if not self.refused:
                return message
        if self.started:
            # Its status is out; all that can be said is that nothing more will come.
            return {"type": "http.disconnect"}
        raise BodyRefusedError

    async def send(self, message: Message) -> None:
        """The `send` of the app; what it answers to a body that was refused is not sent."""
        if self.refused and not self.started:
            return
        self.started = True
        await self._send(message)
