"""What of one request counts as in flight, and what its reply says about how fast replies are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.asgi import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import Message, Receive, Scope, Send
    from garrison.context import RequestContext
    from garrison.shedding.gate import Gate


class Visit:
    """The app's side of one request, from when its body is complete until its reply begins.

    Args:
        gate: where its place is counted.
        clock: seconds that never go back.
        scope: of the request.
        context: of the request.
        receive: of the request.
        send: where the reply goes.
    """

    __slots__ = (
        "_answered",
        "_began",
        "_clock",
        "_complete",
        "_context",
        "_counted",
        "_gate",
        "_gone",
        "_receive",
        "_scope",
        "_send",
    )

    def __init__(
        self,
        gate: Gate,
        clock: Callable[[], float],
        scope: Scope,
        context: RequestContext,
        receive: Receive,
        send: Send,
    ) -> None:
        self._gate = gate
        self._clock = clock
        self._scope = scope
        self._context = context
        self._receive = receive
        self._send = send
        self._began = clock()
        self._complete = scope["type"] == "websocket"
        self._answered = False
        self._gone = False
        self._counted = True
        gate.places += 1

    async def receive(self) -> Message:
        """The `receive` of the app; while it waits for a body, it is the client that is slow."""
        if self._complete or not self._counted:
            return await self._receive()
        asked = self._clock()
        self._step_out()
        try:
            message = await self._receive()
        finally:
            if not self._answered:
                self._counted = True
                self._gate.places += 1
            self._began += self._clock() - asked
        self._complete = not (message["type"] == "http.request" and message.get("more_body", False))
        self._gone = message["type"] == "http.disconnect"
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """The `send` of the app; no coroutine function, because that would cost each message another."""
        if not self._answered and message["type"] in ANSWERS:
            self._answer(message)
        return self._send(message)

    def leave(self) -> None:
        """The app is done with the request."""
        self._answered = True
        self._step_out()

    def _answer(self, message: Message) -> None:
        self._answered = True
        if self._is_telling(message) and self._gate.limit is not None:
            route = self._context.route(self._scope)
            self._gate.limit.sample(route, self._began, self._clock(), self._gate.places)
        self._step_out()

    def _is_telling(self, message: Message) -> bool:
        """Whether the time until this reply is that of the app's work; refusals and errors may be faster."""
        if message["type"] != "http.response.start" or message["status"] >= 400 or self._gone:
            return False
        if self._context.rejected_by is not None:
            return False
        for name, value in message.get("headers", ()):
            if name.lower() == b"content-type":
                return not bytes(value).startswith(b"text/event-stream")
        return True

    def _step_out(self) -> None:
        if self._counted:
            self._counted = False
            self._gate.places -= 1
