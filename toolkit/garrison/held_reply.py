"""Holds an app's 5xx back until it is judged, and knows how far the reply to a request has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.asgi import ANSWERS

if TYPE_CHECKING:
    from garrison.asgi import Headers, Message, Receive, Rest, Scope, Send
    from garrison.context import RequestContext

# A 5xx is held back up to here to be judged; debug pages show what they are well before.
HELD: Final = 64 * 1024


class Verdict(NamedTuple):
    """That a 5xx is not to leave.

    Attributes:
        instead: what is sent in its place.
        told: the exception that it answered, if that has been logged.
    """

    instead: Sequence[Message]
    told: BaseException | None


Judge = Callable[["Scope", "RequestContext", int, "Headers", bytes], Verdict | None]
"""Given the request and status, header lines and first bytes of a 5xx: a verdict, None to let it go."""


class HeldReply:
    """The app's side of one request. Everything but a 5xx passes through at once.

    Args:
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: where the reply goes.
        judge: decides about a 5xx, once, when it is whole or `HELD` bytes of it are there.

    Attributes:
        started: whether any of the reply is out.
        closed: whether the app has closed its WebSocket.
        rest: what became of the request's body.
        told: the exception that was logged with the verdict.
    """

    __slots__ = (
        "_body",
        "_context",
        "_judge",
        "_receive",
        "_scope",
        "_send",
        "_size",
        "_start",
        "closed",
        "rest",
        "started",
        "told",
    )

    def __init__(
        self, scope: Scope, context: RequestContext, receive: Receive, send: Send, judge: Judge
    ) -> None:
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._judge = judge
        self._start: Message | None = None
        self._body: list[Message] = []
        self._size = 0
        self.started = False
        self.closed = False
        self.rest: Rest = "unread"
        self.told: BaseException | None = None

    async def receive(self) -> Message:
        """The `receive` of the app, which tells how much of the request is left when the app has failed."""
        message = await self._receive()
        self.rest = "abandoned" if message.get("more_body", False) else "read"
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        kind = message["type"]
        if self._start is not None:
            await self._hold(self._start, message)
            return
        if kind == "http.response.start" and message["status"] >= 500:
            self._start = message
            return
        if kind in ANSWERS:
            self.started = True
        elif kind == "websocket.close":
            self.started = self.closed = True
        await self._send(message)

    async def release(self) -> None:
        """Let go of what is held, as it is."""
        if self._start is not None:
            await self._let_go([self._start, *self._body], self._send)

    async def _hold(self, start: Message, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self.release()
            await self._send(message)
            return
        self._body.append(message)
        self._size += len(message.get("body", b""))
        if message.get("more_body", False) and self._size < HELD:
            return
        body = b"".join([part.get("body", b"") for part in self._body])
        headers = list(start.get("headers", ()))
        verdict = self._judge(self._scope, self._context, start["status"], headers, body[:HELD])
        if verdict is None:
            await self.release()
            return
        self.told = verdict.told
        send, self._send = self._send, _nowhere
        await self._let_go(verdict.instead, send)

    async def _let_go(self, messages: Sequence[Message], send: Send) -> None:
        self._start, self._body = None, []
        self.started = True
        for message in messages:
            await send(message)


async def _nowhere(message: Message) -> None:
    """The rest of a reply that was replaced."""
