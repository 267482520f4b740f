"""Reads a body that is to be judged, up to a bound, and hands it on as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from garrison.buffer_budget import PIECES

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Rest
    from garrison.buffer_budget import Share

Reading: TypeAlias = Literal["whole", "gone", "too large", "no room"]


class BufferedBody:
    """The body of one request, read once and replayed once.

    Args:
        receive: of the request.
    """

    __slots__ = ("_merged", "_messages", "_more", "_receive", "_size")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._merged = bytearray()
        self._size = 0
        self._more = True

    @property
    def rest(self) -> Rest:
        """What became of the body, for a reply that is sent now."""
        if not self._messages and not self._merged:
            return "unread"
        return "abandoned" if self._more else "read"

    async def has_bytes(self) -> bool:
        """Whether there is at least one byte, for requests whose headers do not tell."""
        while self._more:
            message = await self._receive()
            self._hold(message)
            if message.get("body"):
                return True
        return False

    async def read(self, limit: int, share: Share) -> Reading:
        """Read to the end.

        Args:
            limit: bytes.
            share: of what all requests may hold.

        Returns:
            `whole`, or why not all of it was read: the client is gone, it is longer than the limit, or there
            is no room for it.
        """
        held = 0
        while True:
            if self._size > limit:
                return "too large"
            if not share.take(self._size - held):
                return "no room"
            held = self._size
            if not self._more:
                return "gone" if self._messages and self._messages[-1]["type"] != "http.request" else "whole"
            self._hold(await self._receive())

    @property
    def body(self) -> bytes:
        """What was read, if nothing of it was replayed yet."""
        return bytes(self._merged + self._pieces()) if self._merged else self._pieces()

    def replay(self) -> Receive:
        """What was read, message by message, and then what the server still has to say."""
        messages = self._messages[::-1]
        self._messages = []
        if self._merged:
            messages.append({"type": "http.request", "body": bytes(self._merged), "more_body": True})
            self._merged.clear()
        receive = self._receive

        async def receive_again() -> Message:
            return messages.pop() if messages else await receive()

        return receive_again

    def _hold(self, message: Message) -> None:
        self._messages.append(message)
        self._size += len(message.get("body", b""))
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        if self._more and len(self._messages) == PIECES:
            self._merged += self._pieces()
            self._messages.clear()

    def _pieces(self) -> bytes:
        messages = self._messages
        # Most bodies are one piece, which need not be put together.
        if len(messages) == 1:
            return messages[0].get("body", b"")  # type: ignore[no-any-return]
        return b"".join([message.get("body", b"") for message in messages])
