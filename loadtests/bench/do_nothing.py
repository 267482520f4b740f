"""A server that only answers: `python -m loadtests.bench.do_nothing PORT [EVERY FREEZE]`.

With two more words it freezes for FREEZE out of every EVERY seconds, from its first request on, and
`/freezes` lists from when to when it was frozen, by `time.monotonic`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Final

REPLY: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok"
END: Final = b"\r\n\r\n"


class Server:
    """Answers, and freezes.

    Attributes:
        freezes: from when to when it was frozen.
    """

    def __init__(self, every: float, freeze: float) -> None:
        """Begin at the first request.

        Args:
            every: seconds from one freeze to the next.
            freeze: how long each lasts; 0 for none.
        """
        self.freezes: list[tuple[float, float]] = []
        self._every = every
        self._freeze = freeze
        self._next: float | None = None

    def asked(self) -> None:
        """A request came."""
        if self._next is None and self._freeze:
            self._next = time.monotonic() + self._every - self._freeze
            asyncio.get_running_loop().call_at(self._next, self._freeze_now)

    def _freeze_now(self) -> None:
        started = time.monotonic()
        time.sleep(self._freeze)
        self.freezes.append((started, time.monotonic()))
        assert self._next is not None  # noqa: S101 - for the type checker
        self._next += self._every
        asyncio.get_running_loop().call_at(self._next, self._freeze_now)


class Connection(asyncio.Protocol):
    """Answers each head; nobody sends it a body."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where replies go."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_server gives no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every head that is whole."""
        *heads, self._unread = (self._unread + data).split(END)
        if self._transport is None or not heads:
            return
        if heads[0].startswith(b"GET /freezes "):
            body = json.dumps(self._server.freezes).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            return
        self._server.asked()
        self._transport.write(REPLY * len(heads))


async def serve(port: int, server: Server) -> None:
    """Answer on a port of this machine, until the process is ended."""
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: Connection(server), "127.0.0.1", port, backlog=1024)
    await listening.serve_forever()


if __name__ == "__main__":
    every, freeze = map(float, sys.argv[2:] or ("0", "0"))
    asyncio.run(serve(int(sys.argv[1]), Server(every, freeze)))
