"""Refusing a WebSocket handshake with a whole reply, which can carry headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.asgi import accepts_denial

if TYPE_CHECKING:
    from garrison.asgi import Message, Scope, Send


def denying(scope: Scope, send: Send) -> Send:
    """A `send` that turns a close before the accept into a reply; the one that was given where there is none.

    A server makes a 403 without any header of ours of such a close (ASGI 3.0, WebSocket close); this is the
    same 403 to the client.

    Args:
        scope: of the request.
        send: where the messages go.
    """
    if scope["type"] != "websocket" or not accepts_denial(scope):
        return send
    undecided = True

    async def send_denial(message: Message) -> None:
        nonlocal undecided
        closes = undecided and message["type"] == "websocket.close"
        undecided = False
        if not closes:
            await send(message)
            return
        headers = [(b"content-length", b"0")]
        await send({"type": "websocket.http.response.start", "status": 403, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    return send_denial
