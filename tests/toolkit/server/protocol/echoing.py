"""An app behind a guarded protocol: `python -m tests.toolkit.server.protocol.echoing PROTOCOL LOOP`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from typing import TYPE_CHECKING, Final

import uvicorn

from garrison import Settings
from garrison.server.served import Served

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

LARGE: Final = 8 * 1024 * 1024
PIECE: Final = 16 * 1024


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what was asked, or, by the path, take long, say much, or say it too soon."""
    if scope["type"] == "websocket":
        await converse(receive, send)
        return
    if scope["type"] != "http":
        return
    answer = b"too soon"
    match scope["path"]:
        case "/early":
            pass
        case "/stream":
            await stream(send)
            return
        case "/large":
            answer = b"x" * int(scope["query_string"] or LARGE)
        case "/stays":
            await stay(receive)
            return
        case "/listens":
            tell({"event": "handler begun"})
            while (await receive())["type"] != "http.disconnect":
                pass
            tell({"event": "handler", "ended": "told"})
            return
        case "/late":
            await asyncio.sleep(0.8)
        case "/begins":
            headers = [(b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await body_of(receive)
        case _:
            answer = await echo(scope, receive)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def echo(scope: Scope, receive: Receive) -> bytes:
    """What was asked."""
    lines = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    asked = {"method": scope["method"], "path": scope["path"], "query": scope["query_string"].decode()}
    body = (await body_of(receive)).decode("latin-1")
    return json.dumps(asked | {"lines": lines, "body": body}).encode()


async def body_of(receive: Receive) -> bytes:
    """The whole body, or what there is of it."""
    found = b""
    while True:
        message = await receive()
        found += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return found


async def stream(send: Send) -> None:
    """Send without an end."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/csv")]})
    while True:
        await send({"type": "http.response.body", "body": b"x" * PIECE, "more_body": True})


def tell(event: dict[str, object]) -> None:
    """Write a line between those of the log."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


async def stay(receive: Receive) -> None:
    """Wait for as long as anybody might, and say how it ended."""
    await body_of(receive)
    tell({"event": "handler begun"})
    try:
        async with asyncio.timeout(1.0):
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        tell({"event": "handler", "ended": "cancelled"})
        raise
    except TimeoutError:
        tell({"event": "handler", "ended": "on its own"})


async def converse(receive: Receive, send: Send) -> None:
    """Send back what comes over a WebSocket."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})


def main() -> None:
    """Serve on a free port, and say which."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    # On loopback, where packets are large, the kernel would take megabytes in place of a client.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    config = uvicorn.Config(
        Served(app, Settings.from_environment()),
        http=f"garrison.server.protocol.{sys.argv[1]}",
        loop=sys.argv[2],
        interface="asgi3",
        proxy_headers=False,
        access_log=False,
        log_level="error",
    )
    tell({"event": "port", "port": listener.getsockname()[1]})
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
