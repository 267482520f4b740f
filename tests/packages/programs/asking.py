"""Sends one request to an app, with nothing but the standard library."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]


class Reply(NamedTuple):
    """What an app has answered."""

    status: int
    headers: dict[str, str]


async def hello(_scope: Message, receive: Receive, send: Send) -> None:
    """An app that reads what it is sent, and answers with a page."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def asked(app: App, method: str = "GET", path: str = "/", kind: str = "", body: bytes = b"") -> Reply:
    """What the app answers.

    Args:
        app: any ASGI app.
        method: of the request.
        path: of the request.
        kind: its media type, where it has a body.
        body: all of it.
    """
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    lines = [(b"host", b"shop.example"), (b"content-length", str(len(body)).encode())]
    lines += [(b"content-type", kind.encode())] if kind else []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": lines,
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
    return Reply(sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]})


def ask(app: App, method: str = "GET", path: str = "/", kind: str = "", body: bytes = b"") -> Reply:
    """The same where no event loop runs."""
    return asyncio.run(asked(app, method, path, kind, body))
