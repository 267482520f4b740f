"""Gives every request an id, accepts one from a trusted hop, and puts it on every reply."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import ANSWERS, header
from garrison.context import enter, new_id
from garrison.current import enter_request, leave_request
from garrison.denial import denying
from garrison.settings import validate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

NAME: Final = b"x-request-id"
ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
LONGEST: Final = 64

# The trace id in a traceparent (W3C Trace Context, sections 3.2.2 and 3.2.3): neither the version ff nor
# an id of zeros is valid, and only a later version than 00 may have more behind the flags.
TRACEPARENT: Final = re.compile(
    rb"(?:00(?!.{54})|(?!00|ff)[0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestId:
    """The id that joins a reply, its log lines and its trace.

    Attributes:
        accept: whose X-Request-ID is taken over: that of `trusted` proxies, of anybody (`always`), or of
            nobody (`never`). An id that is not 1 to 64 characters of A-Z a-z 0-9 . _ - is replaced.
        trace: whether a request without an id gets the trace id of its `traceparent`, from those whose
            X-Request-ID would be taken over. One trace may hold several requests.
    """

    accept: Literal["trusted", "always", "never"] = "trusted"
    trace: bool = True

    def __post_init__(self) -> None:
        validate(self)


class RequestIdMiddleware:
    """Puts one id on the context, on the reply, and on every log line that is written for the request.

    Args:
        app: the app below.
        settings: the section.
        make_id: makes the id of a request that brings none; 32 random hex digits unless given.
    """

    def __init__(
        self, app: ASGIApp, settings: RequestId = RequestId(), *, make_id: Callable[[], str] = new_id
    ) -> None:
        self.app = app
        self._always = settings.accept == "always"
        self._never = settings.accept == "never"
        self._trace = settings.trace
        self._make_id = make_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle `http` and `websocket`; `lifespan` and scopes of an unknown type pass through."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        scope, context = enter(scope)
        if not context.mount("request_id", self):
            await self.app(scope, receive, send)
            return

        request_id = None
        if self._always or (context.trusted and not self._never):
            request_id = well_formed(header(scope["headers"], NAME))
            if request_id is None and self._trace:
                request_id = trace_id_of(header(scope["headers"], b"traceparent"))
        if request_id is None:
            request_id = self._make_id()
        context.request_id = request_id
        line = (NAME, request_id.encode("ascii"))

        # Not a coroutine itself: one less for every message.
        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] in ANSWERS:
                headers = [
                    pair
                    for pair in message.get("headers", ())
                    if len(pair[0]) != len(NAME) or pair[0].lower() != NAME
                ]
                headers.append(line)
                message = {**message, "headers": headers}
            return send(message)

        reply = send_with_id if scope["type"] == "http" else denying(scope, send_with_id)
        entered = enter_request(context, scope)
        try:
            await self.app(scope, receive, reply)
        finally:
            leave_request(context, entered)


def well_formed(value: bytes | None) -> str | None:
    """The id if it is one that a log, a header and a URL can carry as it is; None otherwise."""
    if value is None or not 0 < len(value) <= LONGEST or not ALPHABET.issuperset(value):
        return None
    return value.decode("ascii")


def trace_id_of(value: bytes | None) -> str | None:
    """The trace id of a valid `traceparent`; None otherwise."""
    found = None if value is None else TRACEPARENT.fullmatch(value)
    return None if found is None else found[1].decode("ascii")
