"""One worker of a burst, started with a URL, an algorithm, requests, how many at once, and a deadline."""

from __future__ import annotations

import asyncio
import sys
import time

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Algorithm, parse_quotas
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import ValkeyStore

LIMIT = "100/minute"


async def main(url: str, algorithm: Algorithm, requests: int, concurrent: int, deadline: float) -> None:
    """Ask for one client when told to, and print how many were admitted, and when."""
    quotas = parse_quotas(LIMIT, algorithm)
    shared = ValkeyStore(url)
    store = ResilientStore(shared, MemoryStore(), deadline=deadline, on_error="closed")
    # A worker that serves has its connection already.
    await shared.standing("somebody else", quotas)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    await asyncio.to_thread(sys.stdin.readline)
    gate = asyncio.Semaphore(concurrent)

    async def ask() -> tuple[bool, float]:
        async with gate:
            decision = await store.acquire("a", quotas)
            return decision.allowed, time.time()

    began = time.time()
    found = await asyncio.gather(*(ask() for _ in range(requests)))
    await store.aclose()
    print(  # noqa: T201 - the test reads it
        sum(allowed for allowed, _ in found), began, max(moment for _, moment in found), flush=True
    )


if __name__ == "__main__":
    words = sys.argv[1:]
    algorithm: Algorithm = words[1]  # type: ignore[assignment]
    asyncio.run(main(words[0], algorithm, int(words[2]), int(words[3]), float(words[4])))
