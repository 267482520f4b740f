"""What arrives below the proxy layer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson

from garrison.events import event_log
from garrison.middleware.proxy import Proxy, ProxyMiddleware
from tests.toolkit.driver import call, handshake, http_scope, replies_with

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

PROXY = ("10.0.0.1", 4000)
STRANGER = ("192.0.2.66", 4000)


class Proxied:
    """A layer with its log, and the scopes that it hands on.

    Args:
        settings: of the layer; its defaults if there are none.
    """

    def __init__(self, settings: Proxy | None = None) -> None:
        self._stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        self.scopes: list[Scope] = []
        self.layer = ProxyMiddleware(
            self._app, Proxy() if settings is None else settings, log=event_log("json", self._stream)
        )

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await replies_with()(scope, receive, send)

    def see(self, scope: Scope) -> Scope:
        """The scope as it arrives below the layer."""
        (handshake if scope["type"] == "websocket" else call)(self.layer, scope)
        return self.scopes[-1]

    def ask(self, *lines: tuple[bytes, bytes], client: object = PROXY, **more: Any) -> Scope:
        """What arrives of a GET with these header lines."""
        return self.see(http_scope(headers=lines, client=client, **more))

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged so far."""
        buffer = self._stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return [orjson.loads(line) for line in buffer.getvalue().splitlines()]
