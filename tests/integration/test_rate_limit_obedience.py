"""Clients that obey Retry-After are let in, by every algorithm and wherever the counts are."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING

import pytest

from garrison import RateLimit, RateLimitMiddleware
from garrison.ratelimit.memory import MemoryStore
from tests.integration.lifespan import alive, plain
from tests.toolkit.driver import exchange, http_scope
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp
    from garrison.ratelimit.quota import Algorithm
    from tests.toolkit.driver import Reply

CLIENTS = 1000 if os.environ.get("PROOF") == "1" else 300
ENOUGH = 0.99
DEADLINE = 2.0
# What a test can wait for, and which ends anywhere between two whole seconds.
SHORT: dict[Algorithm, str] = {
    "token-bucket": "2/3 seconds",
    "sliding-window": "3/2 seconds",
    "fixed-window": "3/2 seconds",
}
LONG = "5/10 seconds; 30/minute; 100/hour"


class Person:
    """A client that goes on until it is refused.

    Args:
        app: what it asks.
        number: tells its address from others.
    """

    def __init__(self, app: ASGIApp, number: int) -> None:
        self._app = app
        self._client = (f"198.51.{number >> 8}.{number & 255}", 50_000)

    async def ask(self) -> Reply:
        """One request."""
        return await exchange(self._app, http_scope(client=self._client))

    async def is_served(self) -> bool:
        """Whether one request is served."""
        return (await self.ask()).status == 200

    async def wait_after(self, pause: Callable[[], Awaitable[None]]) -> int:
        """Ask until refused, with a pause between two requests; the seconds of Retry-After."""
        while (reply := await self.ask()).status == 200:
            await pause()
        assert reply.status == 429
        return int(reply.header("retry-after") or "")


@pytest.mark.parametrize("algorithm", SHORT)
def test_in_memory_everybody_who_waits_is_let_in(algorithm: Algorithm) -> None:
    """Whatever it did before, a client that waits for as long as it is told, and no longer, is served."""
    now = 0.0
    chance = random.Random(4)  # noqa: S311 - no secret
    store = MemoryStore(clock=lambda: now)
    # Without what they are told to wait longer than they must, which would hide a lie.
    app = RateLimitMiddleware(
        plain, RateLimit(limits=LONG, algorithm=algorithm), store=store, random=lambda: 0.0
    )

    async def pause() -> None:
        nonlocal now
        now += chance.choice((0.0, 0.1, 1.0, chance.uniform(0, 5)))

    async def is_let_in(person: Person) -> bool:
        nonlocal now
        for _ in range(chance.randint(0, 3)):
            wait = chance.uniform(0, await person.wait_after(pause))
            now += wait
        # Not in one line: that would read the clock before others have moved it.
        wait = await person.wait_after(pause)
        now += wait
        return await person.is_served()

    async def everybody() -> int:
        return sum([await is_let_in(Person(app, number)) for number in range(CLIENTS)])

    assert asyncio.run(everybody()) == CLIENTS


def limited(url: str, algorithm: Algorithm) -> RateLimitMiddleware:
    """The layer on a server that it waits for, and that nobody decides in place of."""
    settings = RateLimit(
        limits=SHORT[algorithm],
        algorithm=algorithm,
        storage=url,
        on_storage_error="closed",
        deadline=DEADLINE,
    )
    return RateLimitMiddleware(plain, settings, random=lambda: 0.0)


def test_at_a_server_almost_everybody_who_waits_is_let_in() -> None:
    """Of clients that sleep for as long as they are told at least 99 of 100 are served at their next try."""
    chance = random.Random(4)  # noqa: S311 - no secret

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(0, 0.2))

    async def is_let_in(person: Person) -> bool:
        await pause()
        await asyncio.sleep(chance.uniform(0, await person.wait_after(pause)))
        await asyncio.sleep(await person.wait_after(pause))
        return await person.is_served()

    async def everybody(app: ASGIApp, first: int) -> int:
        people = [Person(app, number) for number in range(first, first + CLIENTS)]
        async with alive(app):
            return sum(await asyncio.gather(*map(is_let_in, people)))

    async def everywhere(url: str) -> list[int]:
        """One layer for each algorithm, at the same time, because each takes seconds."""
        apps = [limited(url, algorithm) for algorithm in SHORT]
        return await asyncio.gather(*(everybody(app, n * CLIENTS) for n, app in enumerate(apps)))

    with Server() as server:
        found = asyncio.run(everywhere(server.url))
    assert min(found) >= ENOUGH * CLIENTS, dict(zip(SHORT, found, strict=True))
