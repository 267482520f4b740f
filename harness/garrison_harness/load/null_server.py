"""A server that does nothing but answer: `python -m garrison_harness.load.null_server PORT [PROCESSES]`.

What the generator reaches against it is what the generator itself can do here and now.
"""

from __future__ import annotations

import asyncio
import os
import sys

from garrison_harness.load.tether import end_with

_REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
_END = b"\r\n\r\n"


class Answering(asyncio.Protocol):
    """Answers as soon as a head has ended; what it is asked has no bodies."""

    def __init__(self) -> None:
        """Wait for a connection."""
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where replies go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server gives no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each head that is whole."""
        *heads, self._unread = (self._unread + data).split(_END)
        if heads and self._transport is not None:
            self._transport.write(_REPLY * len(heads))


async def serve(port: int, *, shared: bool = False) -> None:
    """Answer on a port of this machine, which other processes may share, until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answering, "127.0.0.1", port, backlog=1024, reuse_port=shared or None)
    await server.serve_forever()


def main(port: int, processes: int = 1) -> None:
    """Answer in as many processes as ask: one of them keeps few load processes busy.

    Args:
        port: Of 127.0.0.1; the kernel shares out the connections.
        processes: How many answer.
    """
    parent = os.getpid()
    for _ in range(processes - 1):
        if not os.fork():
            if not end_with(parent):
                return
            break
    asyncio.run(serve(port, shared=processes > 1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
