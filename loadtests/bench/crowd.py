"""`python -m loadtests.bench.crowd NAME KEYS SPELL`: one store with a crowd of keys, alone in its process.

It prints a `Crowd` as JSON. All times are CPU time of the event loop's thread.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson
from limits.aio.storage import MemoryStorage as AsyncMemory
from limits.aio.strategies import FixedWindowRateLimiter
from throttled.asyncio import RateLimiterType

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas
from loadtests.bench.deciders import limits_burst, of, throttled_burst
from loadtests.bench.spells import key_of, per_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.ratelimit.quota import Algorithm
    from loadtests.bench.deciders import Burst

    # A store, and what lets the time pass in which its keys expire, with µs of each turn of the loop.
    Subject: TypeAlias = tuple[Burst, Callable[[int], Awaitable[list[float]]]]

# Seconds after which no key of the crowd counts any more; the longest quota is by the hour.
LATER: Final = 3 * 3600.0
# Requests that come after it to the peers: `limits` clears everything in the first turn of the loop.
NEXT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What was measured of one store.

    Attributes:
        name: of what decides.
        each: µs of a decision for random keys of the crowd.
        bytes_per_key: resident memory of the process that the crowd adds, keys included; None where
            the system does not tell.
        longest: µs of the longest turn of the event loop with one request in it, once all keys have expired.
        tenth: µs of the tenth longest: a shared machine adds a few long ones of its own.
    """

    name: str
    each: float
    bytes_per_key: float | None
    longest: float
    tenth: float


def subjects(keys: int) -> dict[str, Callable[[], Subject]]:
    """What makes a store that holds so many keys, by name."""
    return {
        "Garrison, token bucket": lambda: _garrison("token-bucket", keys),
        "Garrison, fixed window": lambda: _garrison("fixed-window", keys),
        "Garrison, sliding window": lambda: _garrison("sliding-window", keys),
        "limits, FixedWindow": lambda: _peer(limits_burst(FixedWindowRateLimiter(AsyncMemory()))),
        "throttled-py, GCRA": lambda: _peer(throttled_burst(RateLimiterType.GCRA)),
    }


async def crowd(name: str, keys: int, spell: float) -> Crowd:
    """Fill a store, ask for what is in it, and let all of it expire.

    Args:
        name: of one of the `subjects`.
        keys: how many.
        spell: seconds of CPU that the figure of random keys takes.
    """
    burst, expire = subjects(keys)[name]()
    gc.collect()
    before = _resident()
    for start in range(0, keys, 1000):
        await burst([key_of(number) for number in range(start, min(start + 1000, keys))])
    after = _resident()
    some = [key_of(number) for number in random.sample(range(keys), min(keys, 50_000))]
    each = await per_key(burst, some, spell, hits=1000)
    spent = sorted(await expire(keys), reverse=True)
    size = None if before is None or after is None else (after - before) / keys
    return Crowd(name=name, each=each, bytes_per_key=size, longest=spent[0], tenth=spent[9])


def _garrison(algorithm: Algorithm, keys: int) -> Subject:
    now = 0.0
    # Stands still while the store is filled, and gives a new float each time as a real clock does.
    store = MemoryStore(clock=lambda: now + 0.0, bound=keys)
    quotas = parse_quotas("100/minute", algorithm)

    async def expire(keys: int) -> list[float]:
        nonlocal now
        now += LATER
        spent = []
        for number in range(keys):
            now += 0.001
            key = f"new {number:016}"
            started = time.thread_time_ns()
            await store.acquire(key, quotas)
            spent.append((time.thread_time_ns() - started) / 1000)
            if number >= NEXT and len(store) < keys / 5:
                break
        return spent

    return of(store, quotas), expire


def _peer(burst: Burst) -> Subject:
    async def expire(_: int) -> list[float]:
        # The peers take no clock, and this process does nothing else.
        real = time.time
        time.time = lambda: real() + LATER
        spent = []
        for number in range(NEXT):
            started = time.thread_time_ns()
            await burst([f"new {number:016}"])
            await asyncio.sleep(0)
            spent.append((time.thread_time_ns() - started) / 1000)
        time.time = real
        return spent

    return burst, expire


def _resident() -> int | None:
    """Bytes of memory that the process has, where Linux says so."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def main() -> None:
    """Print what the arguments ask for."""
    name, keys, spell = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(asdict(asyncio.run(crowd(name, int(keys), float(spell))))))


if __name__ == "__main__":
    main()
