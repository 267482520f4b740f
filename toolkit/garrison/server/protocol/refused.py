"""What becomes of a connection once it has been refused."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.server.protocol.guarded import GuardedProtocol

# What a refused client may go on sending; reading it costs as much as serving it would.
LONGEST_REST: Final = 1024 * 1024


class Refused(asyncio.Protocol):
    """Takes what a refused client still sends, and forgets it.

    Args:
        before: the protocol of the connection, which goes on with what it is writing.
    """

    def __init__(self, before: GuardedProtocol) -> None:
        self._before = before
        self._left = LONGEST_REST

    def data_received(self, data: bytes) -> None:
        """Forget it, up to a bound."""
        self._left -= len(data)
        if self._left < 0:
            self._before.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to whoever is writing."""
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        """Say so to whoever is writing."""
        self._before.pause_writing()

    def resume_writing(self) -> None:
        """Say so to whoever is writing."""
        self._before.resume_writing()
