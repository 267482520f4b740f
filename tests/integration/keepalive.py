"""Clients that hold their connections, many at once, in one event loop."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

SECONDS = 20.0
AT_ONCE = 8


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: the status code.
        head: the header lines, in lower case.
        body: the body.
        began: when the request was sent, in seconds of `time.monotonic`.
        ended: when the whole reply was there.
    """

    status: int
    head: str
    body: str
    began: float
    ended: float


class Client:
    """One connection, and whoever asks by it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, path: str = "/", *lines: str, count: int = 1) -> list[Answer]:
        """Send so many requests without waiting, and then read their replies in turn.

        Raises:
            OSError, asyncio.IncompleteReadError: the server has hung up.
        """
        request = "\r\n".join([f"GET {path} HTTP/1.1", "Host: shop.example", *lines, "", ""]).encode(
            "latin-1"
        )
        began = time.monotonic()
        self._writer.write(request * count)
        return [await self._answer(began) for _ in range(count)]

    async def _answer(self, began: float) -> Answer:
        text = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = text.partition("content-length: ")[2].partition("\r\n")[0]
        body = await self._reader.readexactly(int(length or 0))
        status, _, head = text.partition("\r\n")
        return Answer(int(status.split()[1]), head, body.decode(), began, time.monotonic())


@asynccontextmanager
async def clients(port: int, count: int, seconds: float = SECONDS) -> AsyncIterator[Sequence[Client]]:
    """So many connections to a server on loopback, closed at the end, or after these seconds."""
    async with asyncio.timeout(seconds):
        opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        try:
            while len(opened) < count:
                # A few at the same time, so that no worker is the one that is always awake first.
                size = min(AT_ONCE, count - len(opened))
                opened += await asyncio.gather(
                    *(asyncio.open_connection("127.0.0.1", port) for _ in range(size))
                )
            yield [Client(reader, writer) for reader, writer in opened]
        finally:
            for _, writer in opened:
                writer.close()
            await asyncio.gather(*(writer.wait_closed() for _, writer in opened), return_exceptions=True)
