"""A small balancer that follows readiness, keeps connections to its servers, and never tries again."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# How often readiness is asked for, and how long a connection is kept that nobody uses: no server may keep its
# own for less, or it closes one at the moment at which a request is sent on it.
PERIOD: Final = 0.1
KEPT: Final = 0.5
# Against hanging only: who is slow because the machine is busy is still there.
SECONDS: Final = 20.0

PROBE: Final = b"GET /readyz HTTP/1.1\r\nhost: balancer\r\nconnection: close\r\n\r\n"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Backend:
    """One server behind the balancer.

    Args:
        port: on loopback.

    Attributes:
        port: on loopback.
        ready: whether it said so when it was asked last.
        answered: how many requests it has answered.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.ready = False
        self.answered = 0
        self._changed = asyncio.Event()
        # With the time at which each was used last.
        self._idle: list[tuple[Connection, float]] = []

    async def watch(self) -> None:
        """Follow its readiness until cancelled."""
        while True:
            await self._probe()
            await asyncio.sleep(PERIOD)

    async def _probe(self) -> None:
        ready = await self._is_ready()
        if ready != self.ready:
            self.ready = ready
            self._changed.set()

    async def becomes(self, *, ready: bool) -> None:
        """Wait until it is ready, or until it is not."""
        await self._until(lambda: self.ready == ready)

    async def answers(self, requests: int) -> None:
        """Wait until it has answered that many."""
        await self._until(lambda: self.answered >= requests)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._changed.clear()
            await self._changed.wait()

    async def _is_ready(self) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(PROBE)
                    return (await reader.readline()).split()[1:2] == [b"200"]
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    async def pass_on(self, request: bytes) -> bytes:
        """Send a request, and give its whole reply.

        Raises:
            OSError: the connection broke, or there was none.
        """
        connection = await self._connection()
        reader, writer = connection
        try:
            writer.write(request)
            reply, closes = await read_reply(reader)
        except BaseException:
            writer.close()
            raise
        if closes:
            writer.close()
        else:
            self._idle.append((connection, time.monotonic()))
        self.answered += 1
        self._changed.set()
        return reply

    async def _connection(self) -> Connection:
        while self._idle:
            (reader, writer), used = self._idle.pop()
            # Balancers notice that a server has closed what it did not use.
            gone = reader.at_eof() or writer.is_closing()
            if not gone and time.monotonic() - used < KEPT:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        """Give up its idle connections."""
        for (_, writer), _ in self._idle:
            writer.close()
        self._idle.clear()


class Balancer:
    """Passes requests without bodies on to whichever server is ready, each in its turn.

    Args:
        ports: of the servers.
    """

    def __init__(self, ports: list[int]) -> None:
        self.backends = [Backend(port) for port in ports]
        self._turn = 0

    async def watch(self) -> None:
        """Follow readiness until cancelled, of each server by itself."""
        await asyncio.gather(*(backend.watch() for backend in self.backends))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one client's connection."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(request))
                await writer.drain()
        writer.close()

    async def _answer(self, request: bytes) -> bytes:
        ready = [backend for backend in self.backends if backend.ready]
        if not ready:
            return failed("nobody is ready")
        self._turn += 1
        backend = ready[self._turn % len(ready)]
        try:
            return await backend.pass_on(request)
        except (OSError, asyncio.IncompleteReadError) as error:
            return failed(f"{backend.port}: {error!r}")

    def close(self) -> None:
        """Give up all idle connections."""
        for backend in self.backends:
            backend.close()


def failed(reason: str) -> bytes:
    """A reply that no server has given."""
    body = reason.encode()
    return b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def read_reply(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """A reply with a known length, and whether the connection ends with it."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    body = await reader.readexactly(int(lines.get(b"content-length", b"0")))
    return head + body, lines.get(b"connection") == b"close"
