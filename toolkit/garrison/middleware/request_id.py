"""Gives every request an id, accepts one from a trusted hop, and puts it on every reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison.asgi import ANSWERS, header
from garrison.context import enter, new_id
from garrison.settings import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

NAME: Final = b"x-request-id"
ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestId:
    """The id that joins a reply, its log line and its trace.

    Attributes:
        accept: whose X-Request-ID is taken over: that of `trusted` proxies, of anybody (`always`), or of
            nobody (`never`). An id that is not 1 to 64 characters of A-Z a-z 0-9 . _ - is replaced.
    """

    accept: Literal["trusted", "always", "never"] = "trusted"

    def __post_init__(self) -> None:
        validate(self)


class RequestIdMiddleware:
    """Puts one id on the context and on the reply.

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
        if request_id is None:
            request_id = self._make_id()
        context.request_id = request_id
        line = (NAME, request_id.encode("ascii"))

        async def send_with_id(message: Message) -> None:
            if message["type"] in ANSWERS:
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != NAME]
                headers.append(line)
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, send_with_id)


def well_formed(value: bytes | None) -> str | None:
    """The id if it is one that a log, a header and a URL can carry as it is; None otherwise."""
    if value is None or not 0 < len(value) <= LONGEST or not ALPHABET.issuperset(value):
        return None
    return value.decode("ascii")
