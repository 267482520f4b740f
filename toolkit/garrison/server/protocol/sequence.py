"""The requests that follow each other on one connection under httptools, and the time between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.server.protocol.guarded import GuardedProtocol

if TYPE_CHECKING:
    import asyncio
    from collections import deque

    from uvicorn.config import Config
    from uvicorn.server import ServerState


class SequenceProtocol(GuardedProtocol):
    """What is put before uvicorn's protocol on httptools, for requests that come before their turn or late.

    Args:
        config: of the server.
        server_state: of the server.
        app_state: what the app keeps for its requests.
        _loop: of the server; the running one unless given.
    """

    pipeline: deque[tuple[Any, Any]]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        # Requests whose replies are due before that of the last one.
        self._earlier: list[Any] = []

    def on_response_complete(self) -> None:
        """Go on with the request that waits, or wait for the next one, with one timer for all connections.

        uvicorn has a timer for each request. To make and to cancel it takes as long as two layers, and it
        holds on to the context of its request, with whatever an app has put there, for as long as the
        connection is kept.
        """
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self._writes.flush()  # a reply without a body
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._guard.idle.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handlers of all requests, and not that of the last one only."""
        super().connection_lost(exc)
        for cycle in self._earlier:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _follows(self, before: Any) -> None:
        """Take note of the request before this one, whose reply may not be complete."""
        if before is not None and not before.response_complete and before is not self.cycle:
            self._earlier = [*(each for each in self._earlier if not each.response_complete), before]

    def _is_answered(self) -> bool:
        return bool(self.pipeline) or super()._is_answered()
