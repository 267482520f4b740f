"""Asks an ASGI app in process, as a server would, and takes down what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from garrison.asgi import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Scope


@dataclass(slots=True)
class Answer:
    """What came back.

    Attributes:
        messages: as the app has sent them.
        failure: what the app raised, if anything; a server logs it.
    """

    messages: list[Message] = field(default_factory=list)
    failure: Exception | None = None

    @property
    def status(self) -> int:
        """That of the reply; 101 for a WebSocket that was accepted, 403 for one that was refused plainly."""
        for message in self.messages:
            if message["type"].endswith("response.start"):
                return int(message["status"])
            if message["type"] in {"websocket.accept", "websocket.close"}:
                return 101 if message["type"] == "websocket.accept" else 403
        return 500

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All lines, in order."""
        return [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for message in self.messages
            for name, value in message.get("headers", ())
        ]

    @property
    def body(self) -> str:
        """The content."""
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    def header(self, name: str) -> str | None:
        """The first line of a name.

        Args:
            name: in lower case.
        """
        return next((value for known, value in self.headers if known == name), None)


def ask(
    app: Any,
    path: str = "/",
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    body: bytes = b"",
    **scope: object,
) -> Answer:
    """Send one request; a path of a WebSocket with `type="websocket"`.

    Args:
        app: an ASGI app; frameworks type theirs in different ways.
        path: without a query.
        headers: beside `host`.
        body: makes it a POST unless `scope` says otherwise.
        scope: what is to differ in the scope.
    """
    return asyncio.run(_asked(app, path, headers, body, scope))


async def _asked(app: Any, path: str, headers: Iterable[Any], body: bytes, more: dict[str, object]) -> Answer:
    lines = list(headers)
    if not any(name == b"host" for name, _ in lines):
        lines.insert(0, (b"host", b"shop.example"))
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": lines,
        "client": ("203.0.113.9", 40000),
        "server": ("127.0.0.1", 8000),
        "extensions": {"websocket.http.response": {}} if more.get("type") == "websocket" else {},
        "subprotocols": [],
        "state": {},
        **more,
    }
    received = iter([{"type": "http.request", "body": body, "more_body": False}])
    if scope["type"] == "websocket":
        received = iter([{"type": "websocket.connect"}])
    answer = Answer()

    async def receive() -> Message:
        return next(received, {"type": f"{scope['type']}.disconnect", "code": 1000})

    async def send(message: Message) -> None:
        answer.messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 - what a server would log
        answer.failure = error
    return answer
