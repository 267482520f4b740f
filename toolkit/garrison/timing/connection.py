"""What can be seen and done of the connection behind a reply, where its server lets somebody reach it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

# From what has the `send` of a request in hypercorn to the transport of its connection. In HTTP/2 others
# share it, and there the way is another.
HYPERCORN: Final = ("send", "__self__", "send", "__self__", "writer", "transport")
SHARED: Final = frozenset({"H2Protocol", "QuicProtocol", "H3Protocol"})


def transport_of(send: object) -> asyncio.Transport | None:
    """The transport that a server writes a reply to, or None where it cannot be told.

    Args:
        send: as the server gave it; None where nobody knows it.
    """
    owner: Any = getattr(send, "__self__", None)
    if owner is None:
        return None
    # A request's, or a WebSocket's, in uvicorn.
    found: Any = getattr(owner, "transport", None)
    if found is None:
        if not type(owner).__module__.startswith("hypercorn"):
            return None
        found = owner
        for name in HYPERCORN:
            found = getattr(found, name, None)
            if type(found).__name__ in SHARED:
                return None
    return found if hasattr(found, "abort") else None


def unread(transport: asyncio.Transport) -> tuple[int, int | None]:
    """Bytes that wait in the process, and those that the client's system has not confirmed.

    Either changes whenever the client has read so much that its system asks for more. Not every system tells
    the second, which is None there.

    Args:
        transport: of the connection.
    """
    return transport.get_write_buffer_size(), _unconfirmed(transport)


def _unconfirmed(transport: asyncio.Transport) -> int | None:
    """What is in the send queue of the socket and not acknowledged (Linux, tcp(7), SIOCOUTQ)."""
    if sys.platform != "linux":
        return None
    from fcntl import ioctl  # noqa: PLC0415 - not on every platform
    from termios import TIOCOUTQ  # noqa: PLC0415 - not on every platform

    try:
        found: bytes = ioctl(transport.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
    except (OSError, ValueError, AttributeError):
        return None
    return int.from_bytes(found, sys.byteorder)
