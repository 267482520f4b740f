"""Limits what a client sends over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.security_events import EXCESS

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.limiting.limiter import Limiter
    from garrison.limiting.plan import Plan

# RFC 6455 section 7.4.1, and IANA's registry of close codes for "Try Again Later".
POLICY_VIOLATION: Final = 1008
TRY_AGAIN_LATER: Final = 1013


class MessageLimit:
    """Wraps the two sides of one WebSocket; a client with too many messages is told so and let go.

    To the app it looks like any client that has left: it receives a disconnect, and what it still sends goes
    nowhere.

    Args:
        plan: what each message takes.
        limiter: decides.
        scope: of the handshake.
        context: of the handshake.
        receive: of the WebSocket.
        send: of the WebSocket.
    """

    def __init__(
        self,
        plan: Plan,
        limiter: Limiter,
        scope: Scope,
        context: RequestContext,
        *,
        receive: Receive,
        send: Send,
    ) -> None:
        self._plan = plan
        self._limiter = limiter
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._ended: Message | None = None
        self._closed = False
        self._waiting: Message | None = None

    async def receive(self) -> Message:
        """The next message, if the client may send it."""
        if self._ended is not None:
            return self._ended
        # An app that gives up waiting gets the message the next time, even if it was being judged.
        message = self._waiting or await self._receive()
        if message["type"] != "websocket.receive":
            return message
        self._waiting = message
        try:
            ruling = await self._plan.judge(self._limiter, self._scope, self._context, 1)
        except StoreUnavailableError:
            self._limiter.outcomes.unavailable += 1
            return await self._end(TRY_AGAIN_LATER, "quotas cannot be counted")
        self._waiting = None
        if ruling is None:
            return message
        self._limiter.count(ruling)
        if ruling.allowed:
            return message
        self._context.note(EXCESS)
        return await self._end(POLICY_VIOLATION, "too many messages")

    async def send(self, message: Message) -> None:
        """Pass a message on, unless the client has been let go."""
        if self._ended is None:
            self._closed = message["type"] == "websocket.close"
            await self._send(message)

    async def _end(self, code: int, reason: str) -> Message:
        self._context.rejected_by = "rate_limit"
        self._ended = {"type": "websocket.disconnect", "code": code, "reason": reason}
        # The app may have closed it in another task; servers take a second close for a mistake.
        if not self._closed:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        return self._ended
