"""ASGI vocabulary: type aliases, header look-up, and sending a small reply."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ANSWERS",
    "STARTS",
    "ASGIApp",
    "Headers",
    "Message",
    "Progress",
    "Receive",
    "Rest",
    "Scope",
    "Send",
    "accepts_denial",
    "content_length",
    "header",
    "headers_without",
    "send_reply",
    "status_of",
]

Headers: TypeAlias = list[tuple[bytes, bytes]]

Rest: TypeAlias = Literal["unread", "read", "abandoned"]
"""A request's body when its reply is sent: not touched, read to its end, or given up in the middle."""

# The messages that begin a reply with a status and headers, and those that carry headers at all.
STARTS: Final = frozenset({"http.response.start", "websocket.http.response.start"})
ANSWERS: Final = STARTS | {"websocket.accept"}

# What is unread of a body up to here is drained, so that the connection can serve the next
# request; more costs more than a new connection does.
DRAIN_LIMIT: Final = 64 * 1024
DRAIN_SECONDS: Final = 1.0

# Digits of the largest 64-bit number, which is as far as any server counts.
LONGEST_LENGTH: Final = 20


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a request header, or None.

    Args:
        headers: a request's raw header lines. ASGI promises their names in lower case.
        name: the header's name in lower case.
    """
    for key, value in headers:
        if key == name:
            return value
    return None


def headers_without(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    """A new list without the named headers; the order and the duplicates of all others stay.

    Args:
        headers: raw header lines, of a request or of a reply.
        names: names in lower case. What an app sends may be in any case.
    """
    return [(key, value) for key, value in headers if key.lower() not in names]


def content_length(value: bytes) -> int | None:
    """The length that a Content-Length declares in bytes, or None where it is no length.

    More digits than any body can have are no length either: what Python makes of thousands of them is
    an exception.

    Args:
        value: of the header.
    """
    return int(value) if value.isdigit() and len(value) <= LONGEST_LENGTH else None


def accepts_denial(scope: Scope) -> bool:
    """Whether the server can send a whole HTTP reply in place of a WebSocket handshake."""
    return "websocket.http.response" in (scope.get("extensions") or {})


def status_of(message: Message) -> int | None:
    """The HTTP status that a message of the app decides, or None where it decides none.

    An accepted WebSocket is a 101, and one that is closed before it was accepted a 403, as the ASGI
    specification has it.
    """
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            return int(message["status"])
        case "websocket.accept":
            return 101
        case "websocket.close":
            return 403
    return None


class Progress:
    """How far the reply to one request has come, told message by message.

    Attributes:
        status: the HTTP status code; None until there is one.
        size: bytes of the body so far; a file that the server sends by itself is not counted.
        ended: whether the last byte is out.
    """

    __slots__ = ("_trailers", "ended", "size", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.size = 0
        self.ended = False
        self._trailers = False

    def sent(self, message: Message) -> bool:
        """Take note of a message that was sent, and say whether it was the last of an HTTP reply."""
        kind = message["type"]
        # A handshake that is denied with a whole reply is over with it.
        if kind in {"http.response.body", "websocket.http.response.body"}:
            self.size += len(message.get("body", b""))
            last = not message.get("more_body", False) and not self._trailers
        elif kind == "http.response.start":
            self.status = message["status"]
            self._trailers = message.get("trailers", False)
            return False
        elif kind == "http.response.trailers":
            last = not message.get("more_trailers", False)
        elif kind == "http.response.pathsend":
            last = not self._trailers
        else:
            if self.status is None:
                self.status = status_of(message)
            return False
        if self.ended:
            return False
        self.ended = last
        return last


async def send_reply(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    headers: Headers,
    body: bytes,
    rest: Rest = "unread",
) -> None:
    """Send a small reply in place of the app's, and leave the connection in a known state.

    A body that the client is still sending is drained when it is small; otherwise the reply says
    `connection: close`, because the next request on the connection could not be told from the rest
    of the body (RFC 9112 section 9.3); and it does where the process ends. A WebSocket handshake is
    denied with the same reply where the server can do that, and closed with 1008 where it cannot.

    Args:
        scope: of the request that is answered; type `http` or `websocket`.
        receive: of the same request, not read beyond what the caller has consumed.
        send: where the reply goes.
        status: the HTTP status code.
        headers: header lines without content-length, which is added.
        body: the whole body in bytes; a HEAD request gets its length only.
        rest: what became of the request's own body; of a WebSocket, whether its handshake is `unread`.
    """
    lines = [*headers, (b"content-length", b"%d" % len(body))]
    if scope["type"] == "websocket":
        if rest == "unread":
            await receive()  # the websocket.connect that every handshake begins with
        if not accepts_denial(scope):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        await send({"type": "websocket.http.response.start", "status": status, "headers": lines})
        await send({"type": "websocket.http.response.body", "body": body})
        return
    if rest == "unread" and scope.get("http_version", "1.1").startswith("1"):
        rest = "read" if await _drained(scope, receive) else "abandoned"
    context = scope.get("garrison")
    if rest == "abandoned" or (context is not None and context.closing):
        lines.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _drained(scope: Scope, receive: Receive) -> bool:
    """Whether the request's body is known to be read to its end, after reading what is small."""
    declared = b"0"
    for key, value in scope["headers"]:
        # A client that expects 100 has sent nothing yet, and asking for its body would invite it.
        if key in {b"expect", b"transfer-encoding"}:
            return False
        if key == b"content-length":
            declared = value
    if declared == b"0":
        return True
    length = content_length(declared)
    if length is None or length > DRAIN_LIMIT:
        return False
    unread = DRAIN_LIMIT
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while unread >= 0:
                message = await receive()
                if message["type"] != "http.request":
                    return False
                unread -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return True
    except TimeoutError:
        pass
    return False
