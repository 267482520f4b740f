"""Requests that arrive whether or not those before them are answered, as those of many people do."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Final

# Connections at once; an app that answers nobody would else take every descriptor there is.
MOST: Final = 900
# Open before the first request, because uvloop takes one new connection in each turn of its loop, and none of
# what waits to be taken is seen by anything above it.
READY: Final = 200
# How long an answer is waited for when all requests are out.
PATIENCE: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one request.

    Attributes:
        sent: when it should have been sent, in seconds from the first.
        status: 0 where there was no answer.
        seconds: from when it should have been sent.
    """

    sent: float
    status: int
    seconds: float


class _Client(asyncio.Protocol):
    """One kept connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
        if len(body) >= length and not self._answer.done():
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - of the protocol
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)

    async def ask(self, path: str) -> int:
        """Send a request, and give the status of its reply; 0 where there is none."""
        assert self._transport is not None  # noqa: S101 - it is connected
        self._data = b""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        return await self._answer

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.abort()


async def arrivals(port: int, path: str, rate: float, seconds: float, seed: int = 7) -> list[Answer]:
    """Send requests at random moments, and wait for what comes of them.

    Args:
        port: on loopback.
        path: of every request.
        rate: requests a second.
        seconds: for how long they arrive.
        seed: of the moments.
    """
    moments = random.Random(seed)  # noqa: S311 - moments, no secrets
    made = [await _connected(port) for _ in range(READY)]
    free = list(made)
    found: list[Answer] = []
    room = asyncio.Semaphore(MOST)
    started = time.perf_counter()

    async def one(due: float) -> None:
        async with room:
            if free:
                client = free.pop()
            else:
                client = await _connected(port)
                made.append(client)
            status = await client.ask(path)
            found.append(Answer(sent=due, status=status, seconds=time.perf_counter() - started - due))
            if status:
                free.append(client)

    due, tasks = 0.0, set()
    while (due := due + moments.expovariate(rate)) < seconds:
        ahead = due - (time.perf_counter() - started)
        if ahead > 0:
            await asyncio.sleep(ahead)
        tasks.add(asyncio.create_task(one(due)))
    _, late = await asyncio.wait(tasks, timeout=PATIENCE)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in made:
        client.close()
    found += [Answer(sent=0.0, status=0, seconds=float("inf"))] * len(late)
    return found


async def closed_loop(port: int, path: str, clients: int, seconds: float) -> float:
    """Requests a second that are answered when each client waits for its answer before it asks again.

    Args:
        port: on loopback.
        path: of every request.
        clients: how many.
        seconds: for how long.
    """
    until = time.perf_counter() + seconds

    async def one() -> int:
        client, count = await _connected(port), 0
        while time.perf_counter() < until:
            count += await client.ask(path) == 200
        client.close()
        return count

    return sum(await asyncio.gather(*(one() for _ in range(clients)))) / seconds


async def _connected(port: int) -> _Client:
    _, client = await asyncio.get_running_loop().create_connection(_Client, "127.0.0.1", port)
    return client
