"""Ports of loopback that nobody else is given while these tests run."""

from __future__ import annotations

import atexit
import socket
from contextlib import ExitStack

_held = ExitStack()
atexit.register(_held.close)


def free_port(below: int = 65_536) -> int:
    """A port on which nobody listens, for a server that sets SO_REUSEADDR, as nearly all do, or for none.

    It stays bound as long as this process runs. One that is asked for and let go may have been given to the
    server of another worker, or to a connection, before it is used. To be bound is enough to keep it: Linux
    lets somebody else bind and listen there, by its number, if both have set SO_REUSEADDR, and picks it for
    nobody who leaves the choice to the system.

    Args:
        below: what it must be less than.
    """
    while True:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        _held.enter_context(held)
        if port < below:
            return port
