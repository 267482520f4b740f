"""Holds a body that is to be judged, up to a bound, and hands it on as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.bounding.counted_body import BodyRefusedError
from garrison.buffer_budget import FULL, PIECES, RETRY_AFTER
from garrison.short_body import CUT_SHORT, Refusal, too_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.asgi import Message, Receive, Rest, Send
    from garrison.buffer_budget import Share
    from garrison.problems import Problem


class HeldBody:
    """The body of one request, read to its end when the app asks for it, and handed over if it is sound.

    Who decides by the header lines alone, such as a layer that authenticates, has none of it read.

    Args:
        receive: of the request.
        send: where the reply goes.
        limit: bytes.
        share: what this request may hold; given back when the app gets the body.
        judge: says what is wrong with the whole body, if anything is.
    """

    __slots__ = (
        "_judge", "_limit", "_merged", "_messages", "_more", "_receive", "_refusal", "_send", "_share",
        "_size", "_started",
    )  # fmt: skip

    def __init__(
        self, receive: Receive, send: Send, limit: int, share: Share, judge: Callable[[bytes], Problem | None]
    ) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._share = share
        self._judge = judge
        self._messages: list[Message] = []
        self._merged = bytearray()
        self._size = 0
        self._more = True
        self._refusal: Refusal | None = None
        self._started = False

    @property
    def refusal(self) -> Refusal | None:
        """Why the body was withheld from the app, if that is still to be said."""
        return None if self._started else self._refusal

    async def receive(self) -> Message:
        """The `receive` of the app: what was held, and then what the server still has to say."""
        while self._more:
            message = await self._receive()
            if not self._more:
                # Another task of the app has read the rest meanwhile.
                return message  # type: ignore[unreachable]
            self._refusal = self._refused(message)
            if self._refusal is not None:
                self._more = False
                self._messages.clear()
                self._share.release()
        if self._refusal is not None:
            if self._started:
                # Its status is out; all that can be said is that nothing more will come.
                return {"type": "http.disconnect"}
            raise BodyRefusedError
        if not self._messages:
            return await self._receive()
        # From here on it is the app's to bound.
        self._share.release()
        return self._messages.pop()

    async def send(self, message: Message) -> None:
        """The `send` of the app; what it answers to a body that was refused is not sent."""
        if self._refusal is not None and not self._started:
            return
        self._started = True
        await self._send(message)

    def _refused(self, message: Message) -> Refusal | None:
        """Hold one more message, and judge the body if it is whole."""
        messages = self._messages
        if message["type"] != "http.request":
            if message["type"] == "http.disconnect":
                # Some servers also say so of a client that is there and whose chunks are broken.
                return Refusal(problem=CUT_SHORT, rest="abandoned")
            # An extension of ASGI, which nobody can judge.
            messages.append(message)
            self._hand_over()
            return None
        added = len(message.get("body", b""))
        self._size += added
        more = message.get("more_body", False)
        rest: Rest = "unread" if more else "read"
        if self._size > self._limit:
            return Refusal(problem=too_large(self._limit), rest=rest)
        if not self._share.take(added):
            return Refusal(problem=FULL, rest=rest, headers=RETRY_AFTER)
        if len(messages) == PIECES:
            self._merged += joined(messages)
            messages.clear()
        messages.append(message)
        if more:
            return None
        self._hand_over()
        body = messages[0].get("body", b"") if len(messages) == 1 else joined(reversed(messages))
        problem = self._judge(body)
        return None if problem is None else Refusal(problem=problem)

    def _hand_over(self) -> None:
        """There is nothing more to hold."""
        self._more = False
        if self._merged:
            merged: Message = {"type": "http.request", "body": bytes(self._merged), "more_body": True}
            self._messages.insert(0, merged)
            self._merged.clear()
        self._messages.reverse()


def joined(messages: Iterable[Message]) -> bytes:
    """The bytes of a body that came in these messages."""
    return b"".join([message.get("body", b"") for message in messages])
