"""A reply's head and the beginning of its body in one write, where the app sends both in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

# What a head begins with. That of a 100 goes out at once: its client waits for it.
HEAD: Final = b"HTTP/1."
INTERIM: Final = b"HTTP/1.1 1"

# More is not copied to be joined; the system cuts it into segments anyway.
LARGEST: Final = 64 * 1024


class Turn:
    """The heads that wait for the beginning of their bodies in one turn of an event loop.

    Args:
        loop: of the server.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[JoinedWrites] = []

    def end_with(self, one: JoinedWrites) -> None:
        """Have a head written when the turn is over, if it has not been by then.

        Args:
            one: that holds a head.
        """
        if not self._waiting:
            self._loop.call_soon(self._end)
        self._waiting.append(one)

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


class JoinedWrites:
    """The transport of a connection as the replies on it use it.

    A head that goes out by itself costs a call of the system, a packet and a wake-up of the client, together
    as much as all layers. So it waits for the next write, which for nearly every app follows at once; one
    whose body takes longer goes out when the turn of the event loop ends.

    Args:
        transport: of the connection.
        turn: of the server's event loop.
    """

    __slots__ = ("_held", "_transport", "_turn", "_write")

    def __init__(self, transport: asyncio.Transport, turn: Turn) -> None:
        self._transport = transport
        self._write = transport.write
        self._turn = turn
        self._held = b""

    def write(self, data: bytes) -> None:
        """Write, at once or in this turn."""
        held = self._held
        if held:
            self._held = b""
            if len(data) <= LARGEST:
                self._write(held + data)
                return
            self._write(held)
        elif data.startswith(HEAD) and not data.startswith(INTERIM):
            self._held = data
            self._turn.end_with(self)
            return
        self._write(data)

    def flush(self) -> None:
        """Write what is held."""
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._write(held)

    def close(self) -> None:
        """Close the connection when everything is written."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """End the connection at once; what is held is not written any more."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether the connection ends or has ended."""
        return self._transport.is_closing()

    def get_write_buffer_size(self) -> int:
        """Bytes that the system has not taken; a head of this turn is none of those."""
        return self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str, default: object = None) -> Any:
        """What is known of the connection."""
        return self._transport.get_extra_info(name, default)
