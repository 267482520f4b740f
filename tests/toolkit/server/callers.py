"""Clients that go on asking while a server is stopped, and count what they lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"


async def call_until_refused(
    port: int, clients: int, after: float, order: Callable[[], object]
) -> Counter[str]:
    """What so many clients met that ask on kept connections until nobody listens.

    Args:
        port: of the server.
        clients: how many.
        after: seconds until the order is given.
        order: stops the server.
    """
    met: Counter[str] = Counter()
    tasks = [asyncio.create_task(_call(port, met)) for _ in range(clients)]
    await asyncio.sleep(after)
    order()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks)
    return met


async def _call(port: int, met: Counter[str]) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            met["refused"] += 1
            return
        try:
            while await _is_kept(reader, writer, met):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            met["lost"] += 1
        finally:
            writer.close()


async def _is_kept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, met: Counter[str]) -> bool:
    """Ask once, and say whether the connection may be used again."""
    writer.write(REQUEST)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r", 1)[0])
    await reader.readexactly(length)
    closes = b"\r\nconnection: close\r\n" in head
    met[head.split()[1].decode()] += 1
    met["closed"] += closes
    return not closes
