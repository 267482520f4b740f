"""The site without a framework."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from garrison import harden

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """All of it."""
    if scope["type"] == "lifespan":
        await live(scope, receive, send)
    elif scope["type"] == "websocket":
        await talk(scope, receive, send)
    elif scope["path"] == "/stream":
        await stream(scope, send)
    else:
        status, kind, body = answer(scope)
        await reply(send, status, kind, body)
        if scope["path"] == "/later":
            scope["state"]["done"].append("task")


def answer(scope: Scope) -> tuple[int, str, str]:
    """Status, media type and body."""
    path, state = scope["path"], scope.get("state", {})
    number = re.fullmatch(r"/items/(\d+)", path)
    if path == "/boom":
        raise RuntimeError("kaboom with hunter2")
    if number and scope["method"] != "GET":
        return 405, "text/plain", "Method Not Allowed"
    if number:
        return 200, "application/json", json.dumps({"item": int(number[1])})
    if path == "/page":
        return 200, "text/html; charset=utf-8", "<title>page</title>"
    if path == "/open":
        state["gate"].set()
        return 200, "text/plain", "open"
    if path == "/later":
        return 200, "text/plain", "soon"
    if path == "/done":
        return 200, "application/json", json.dumps(state["done"])
    return 404, "text/plain", "Not Found"


async def reply(send: Send, status: int, kind: str, body: str) -> None:
    """One reply."""
    data = body.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(data))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def stream(scope: Scope, send: Send) -> None:
    """Two events, the second of which waits for the gate."""
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"data: first\n\n", "more_body": True})
    await scope["state"]["gate"].wait()
    await send({"type": "http.response.body", "body": b"data: second\n\n", "more_body": False})


async def talk(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends back what it is sent, once; accepts nobody elsewhere."""
    await receive()
    if scope["path"] != "/echo":
        await send({"type": "websocket.close", "code": 1000})
        return
    await send({"type": "websocket.accept"})
    message = await receive()
    await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.close", "code": 1000})


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """What the requests share: a gate, and what was done in the background."""
    await receive()
    scope["state"].update({"gate": asyncio.Event(), "done": []})
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


def make_hardened() -> Any:
    """The site of somebody who hardens it in code."""
    return harden(app)
