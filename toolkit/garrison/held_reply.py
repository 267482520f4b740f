"""Holds an error reply of the app back until it is judged, and knows how far the reply has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.asgi import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.asgi import Headers, Message, Receive, Rest, Scope, Send
    from garrison.context import RequestContext

# A 5xx is held back up to here to be judged; debug pages show what they are well before.
HELD: Final = 64 * 1024


class Held(NamedTuple):
    """As much of an error reply as is there when it is judged.

    Attributes:
        scope: of the request.
        context: of the request.
        status: the status code.
        headers: the header lines.
        body: the body so far.
        whole: whether that is all of it.
    """

    scope: Scope
    context: RequestContext
    status: int
    headers: Headers
    body: bytes
    whole: bool


class Verdict(NamedTuple):
    """That a reply is not to leave.

    Attributes:
        instead: what is sent in its place; nothing where there is nobody to send it to.
        told: the exception that it answered, if that is settled.
    """

    instead: Sequence[Message]
    told: BaseException | None = None


class Judging(NamedTuple):
    """Which replies are judged, and how.

    Attributes:
        bounds: a status code below 500 to how many bytes of it are held.
        judge: a verdict on what is held, or None to let it go; asked once.
        judge_close: the same of a WebSocket's close, given the message and whether the WebSocket was open.
        leaking: names of headers that no reply from 400 on has, in lower case.
    """

    bounds: dict[int, int]
    judge: Callable[[Held], Verdict | None]
    judge_close: Callable[[Scope, RequestContext, Message, bool], Verdict | None]
    leaking: frozenset[bytes]


class HeldReply:
    """The app's side of one request. Everything but an error passes through at once.

    Args:
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: where the reply goes.
        judging: what becomes of errors.

    Attributes:
        started: whether any of the reply is out.
        closed: whether the app has closed its WebSocket.
        rest: what became of the request's body.
        told: the exception that was settled with the verdict.
        lost: what the server raised when it was told to send to a client that has gone.
    """

    __slots__ = (
        "_body",
        "_bound",
        "_context",
        "_ended",
        "_judging",
        "_receive",
        "_scope",
        "_send",
        "_size",
        "_start",
        "closed",
        "lost",
        "rest",
        "started",
        "told",
    )

    def __init__(
        self, scope: Scope, context: RequestContext, receive: Receive, send: Send, judging: Judging
    ) -> None:
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._judging = judging
        self._start: Message | None = None
        self._ended = False
        self.started = False
        self.closed = False
        self.rest: Rest = "unread"
        self.told: BaseException | None = None
        self.lost: OSError | None = None

    async def receive(self) -> Message:
        """The `receive` of the app, which tells how much of the request is left when the app has failed."""
        message = await self._receive()
        self.rest = "abandoned" if message.get("more_body", False) else "read"
        kind = message["type"]
        # After the reply every server says so, and a WebSocket that was open ends like this.
        if (kind == "http.disconnect" and not self._ended) or (
            kind == "websocket.disconnect" and not self.started
        ):
            self._context.gone = True
        return message

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        kind = message["type"]
        if self._start is not None:
            await self._hold(self._start, message)
            return
        if kind == "http.response.body":
            self._ended = not message.get("more_body", False)
        elif kind == "http.response.start":
            status = message["status"]
            # What a layer inside has answered is ours and has nothing to leak, and must cost little.
            if status >= 400 and self._context.rejected_by is None:
                message = self._without_leaks(message)
                bound = HELD if status >= 500 else self._judging.bounds.get(status)
                if bound is not None:
                    self._start, self._bound = message, bound
                    self._body: list[Message] = []
                    self._size = 0
                    return
            self.started = True
        elif kind in ANSWERS:
            self.started = True
        elif kind == "websocket.close":
            verdict = self._judging.judge_close(self._scope, self._context, message, self.started)
            self.started = self.closed = True
            if verdict is not None:
                await self._replace(verdict)
                return
        elif kind == "http.response.pathsend":
            self._ended = True
        try:
            await self._send(message)
        except OSError as error:  # what servers raise where there is no client any more (ASGI 3.0, 2.4)
            self._depart(error)
            raise

    @property
    def holds(self) -> bool:
        """Whether anything waits to be let go."""
        return self._start is not None

    async def release(self) -> None:
        """Let go of what is held, as it is."""
        if self._start is not None:
            await self._let_go([self._start, *self._body], self._send)

    async def _hold(self, start: Message, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self.release()
            await self.send(message)
            return
        self._body.append(message)
        self._size += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if not whole and self._size < self._bound:
            return
        self._ended = whole
        body = b"".join([part.get("body", b"") for part in self._body])
        headers = list(start.get("headers", ()))
        verdict = self._judging.judge(Held(self._scope, self._context, start["status"], headers, body, whole))
        if verdict is None:
            await self.release()
            return
        await self._replace(verdict)

    async def _replace(self, verdict: Verdict) -> None:
        self.told = verdict.told
        send, self._send = self._send, _nowhere
        await self._let_go(verdict.instead, send)

    async def _let_go(self, messages: Sequence[Message], send: Send) -> None:
        self._start = None
        self.started = True
        try:
            for message in messages:
                await send(message)
        except OSError as error:
            self._depart(error)
            raise

    def _depart(self, error: OSError) -> None:
        self._context.gone = True
        self.lost = error

    def _without_leaks(self, message: Message) -> Message:
        headers = list(message.get("headers", ()))
        kept = [line for line in headers if line[0].lower() not in self._judging.leaking]
        return {**message, "headers": kept}


async def _nowhere(message: Message) -> None:
    """The rest of a reply that was replaced."""
