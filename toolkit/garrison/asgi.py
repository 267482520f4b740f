"""ASGI vocabulary: type aliases, header look-up, and sending a small reply."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ASGIApp",
    "Headers",
    "Message",
    "Receive",
    "Rest",
    "Scope",
    "Send",
    "accepts_denial",
    "ends_reply",
    "header",
    "headers_without",
    "send_reply",
    "status_of",
]

Headers: TypeAlias = list[tuple[bytes, bytes]]

Rest: TypeAlias = Literal["unread", "read", "abandoned"]
"""A request's body when its reply is sent: not touched, read to its end, or given up in the middle."""

# What is unread of a body up to here is drained, so that the connection can serve the next
# request; more costs more than a new connection does.
DRAIN_LIMIT: Final = 64 * 1024
DRAIN_SECONDS: Final = 1.0


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


def ends_reply(message: Message) -> bool:
    """Whether this message is the last of an HTTP reply that announced no trailers."""
    match message["type"]:
        case "http.response.body":
            return not message.get("more_body", False)
        case "http.response.pathsend":
            return True
        case "http.response.trailers":
            return not message.get("more_trailers", False)
    return False


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
    of the body (RFC 9112 section 9.3). A WebSocket handshake is denied with the same reply where
    the server can do that, and closed with 1008 where it cannot.

    Args:
        scope: of the request that is answered; type `http` or `websocket`.
        receive: of the same request, not read beyond what the caller has consumed.
        send: where the reply goes.
        status: the HTTP status code.
        headers: header lines without content-length, which is added.
        body: the whole body in bytes; a HEAD request gets its length only.
        rest: what became of the request's own body.
    """
    lines = [*headers, (b"content-length", b"%d" % len(body))]
    if scope["type"] == "websocket":
        await receive()  # the websocket.connect that every handshake begins with
        if not accepts_denial(scope):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        await send({"type": "websocket.http.response.start", "status": status, "headers": lines})
        await send({"type": "websocket.http.response.body", "body": body})
        return
    if rest == "unread" and scope.get("http_version", "1.1").startswith("1"):
        rest = "read" if await _drained(scope, receive) else "abandoned"
    if rest == "abandoned":
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
    if not declared.isdigit() or int(declared) > DRAIN_LIMIT:
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
