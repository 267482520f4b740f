"""Drives a raw ASGI app as a server would: builds a scope, feeds the request, collects the reply."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from garrison.asgi import Message

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from garrison.asgi import ASGIApp, Receive, Scope, Send

CLIENT = ("192.0.2.1", 50000)
HOST = (b"host", b"shop.example")
# Against hanging only.
SECONDS = 40.0


def http_scope(
    path: str = "/",
    *,
    method: str = "GET",
    headers: Iterable[tuple[bytes, bytes]] = (),
    query: bytes = b"",
    **more: Any,
) -> Scope:
    """The scope of an HTTP request as uvicorn builds it; `more` adds keys or replaces them.

    The Host is `shop.example` unless the headers say another.
    """
    lines = list(headers)
    if all(name != b"host" for name, _ in lines):
        lines.insert(0, HOST)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "root_path": "",
        "headers": lines,
        "client": CLIENT,
        "server": ("127.0.0.1", 8000),
        "state": {},
        **more,
    }


def websocket_scope(
    path: str = "/", *, headers: Iterable[tuple[bytes, bytes]] = (), denial: bool = True, **more: Any
) -> Scope:
    """The scope of a WebSocket handshake; `denial` says whether the server can send a whole reply."""
    scope = http_scope(path, headers=headers, **more)
    del scope["method"]
    extensions: dict[str, object] = {"websocket.http.response": {}} if denial else {}
    return {
        **scope,
        "type": "websocket",
        "scheme": more.get("scheme", "ws"),
        "subprotocols": [],
        "extensions": extensions,
    }


def ends_reply(message: Message) -> bool:
    """Whether nothing of an HTTP reply comes after this message."""
    if message["type"] == "http.response.pathsend":
        return True
    return message["type"].endswith("response.body") and not message.get("more_body", False)


def request_messages(*chunks: bytes) -> list[Message]:
    """A request's body as the messages of a server, one for each chunk."""
    parts = chunks or (b"",)
    return [
        {"type": "http.request", "body": part, "more_body": index < len(parts)}
        for index, part in enumerate(parts, start=1)
    ]


@dataclass
class Wire:
    """The server's end of one request.

    What is to come stands in `incoming`; then `receive` waits, as servers do, until the reply is whole,
    and says that the client is gone.
    """

    incoming: deque[Message]
    sent: list[Message] = field(default_factory=list)
    received: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        """The `receive` of the app."""
        self.received += 1
        if self.incoming:
            return self.incoming.popleft()
        await self.over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """The `send` of the app."""
        copied = dict(message)
        if "headers" in copied:
            copied["headers"] = list(copied["headers"])
        self.sent.append(copied)
        if ends_reply(message) or message["type"] == "websocket.close":
            self.over.set()

    @property
    def reply(self) -> Reply:
        """What was sent so far, read as a reply."""
        return Reply(self.sent)


@dataclass
class Reply:
    """A reply as the messages that make it."""

    messages: list[Message]

    @property
    def start(self) -> Message:
        """The message with status and headers."""
        starts = [message for message in self.messages if message["type"].endswith("response.start")]
        assert len(starts) == 1, self.messages
        return starts[0]

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.start["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """All header lines in their order."""
        return list(self.start.get("headers", ()))

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(
            message.get("body", b"")
            for message in self.messages
            if message["type"].endswith("response.body")
        )  # fmt: skip

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return orjson.loads(self.body)

    @property
    def whole(self) -> bool:
        """Whether the last byte was sent."""
        return bool(self.messages) and ends_reply(self.messages[-1])

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == wanted]

    def header(self, name: str) -> str | None:
        """The value of a header that may be there once; None where it is not."""
        values = self.all(name)
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in a loop of its own, for no longer than a test may hang."""

    async def bounded() -> None:
        async with asyncio.timeout(SECONDS):
            await main

    asyncio.run(bounded())


async def exchange(app: ASGIApp, scope: Scope, *chunks: bytes) -> Reply:
    """Send one HTTP request to the app, its body in these chunks."""
    wire = Wire(deque(request_messages(*chunks)))
    await app(scope, wire.receive, wire.send)
    return wire.reply


def call(app: ASGIApp, scope: Scope | None = None, *chunks: bytes) -> Reply:
    """`exchange` in a loop of its own; a plain `GET /` unless there is a scope."""
    return converse(app, http_scope() if scope is None else scope, request_messages(*chunks)).reply


def converse(app: ASGIApp, scope: Scope, incoming: Iterable[Message]) -> Wire:
    """Hand the app these messages and nothing else; what it sent is on the wire that comes back."""
    wires: list[Wire] = []

    async def main() -> None:
        wires.append(Wire(deque(incoming)))
        await app(scope, wires[0].receive, wires[0].send)

    run(main())
    return wires[0]


def handshake(app: ASGIApp, scope: Scope | None = None, *incoming: Message) -> Wire:
    """Open a WebSocket, send it these messages, and leave."""
    opening: Message = {"type": "websocket.connect"}
    leaving: Message = {"type": "websocket.disconnect", "code": 1001}
    return converse(app, websocket_scope() if scope is None else scope, [opening, *incoming, leaving])


def replies_with(
    status: int = 200,
    headers: Iterable[tuple[bytes, bytes]] = ((b"content-type", b"text/plain"),),
    *chunks: bytes,
) -> ASGIApp:
    """An app that gives the same reply to every request and never looks at it."""
    lines = list(headers)
    parts = chunks or (b"hello",)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(lines)})
        for index, part in enumerate(parts, start=1):
            await send({"type": "http.response.body", "body": part, "more_body": index < len(parts)})

    return app


def raises(error: BaseException) -> ASGIApp:
    """An app that fails before it has replied."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def read_body(receive: Receive) -> bytes:
    """What an app does to read a request's body to its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that replies with the body of the request."""
    body = await read_body(receive)
    await replies_with(200, [(b"content-type", b"application/octet-stream")], body)(scope, receive, send)


async def accepts(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that accepts a WebSocket and closes it."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": 1000})
