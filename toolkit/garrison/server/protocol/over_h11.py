"""uvicorn's protocol on h11, guarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from garrison.server.protocol.flaws import MALFORMED
from garrison.server.protocol.guarded import GuardedProtocol
from garrison.server.protocol.h11_connection import StrictConnection

if TYPE_CHECKING:
    import asyncio

    from h11 import Request
    from uvicorn.config import Config
    from uvicorn.server import ServerState


class GuardedH11Protocol(GuardedProtocol, H11Protocol):
    """A connection that is parsed in Python.

    Args:
        config: of the server.
        server_state: of the server.
        app_state: what the app keeps for its requests.
        _loop: of the server; the running one unless given.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._is_websocket = False
        self.conn: StrictConnection = StrictConnection(self._guard.max_bytes, self._guard.max_lines)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and see whether more must."""
        super().data_received(data)
        if not self._is_serving():
            if self.conn.flaw is None and not self._is_websocket:
                self._wait()
        elif self._waits:
            self._waits = False
            self._guard.waiting.end(self)

    def handle_events(self) -> None:
        """Handle what has been parsed."""
        super().handle_events()
        if self.cycle is not None:
            self.cycle.transport = self._writes
            # What is behind this request waits until it is answered.
            if not self.cycle.more_body and not self.conn.trailing_data[0]:
                self._listen_on()

    def handle_websocket_upgrade(self, event: Request) -> None:
        """Leave the connection to another protocol."""
        self._guard.forget(self)
        self._is_websocket = True
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's
        """Refuse what could not be parsed."""
        self._refuse(self.conn.flaw or MALFORMED)

    def _unsupported_upgrade_warning(self) -> None:
        """Serve who asks for another protocol in this one, as every request by Java's client does."""

    def _expects_head(self) -> bool:
        # The state of a broken connection says nothing: its request was read to the end or not.
        if self.conn.flaw is not None:
            return self.cycle is None or not self.cycle.more_body
        return self.conn.their_state is not h11.SEND_BODY

    def _has_begun(self) -> bool:
        return self.conn.their_state is h11.IDLE and bool(self.conn.trailing_data[0])
