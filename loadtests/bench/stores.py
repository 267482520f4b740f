"""`python -m loadtests.bench.stores`: what one decision of a quota costs, in a process of its own.

It prints a `Report` as JSON. All times are CPU time of the event loop's thread.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import limits
import orjson
from limits.aio.storage import MemoryStorage as AsyncMemory
from limits.aio.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter as SyncFixedWindow

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas
from loadtests.bench.measure import Variant, cost
from loadtests.bench.names import BARE
from loadtests.bench.variants import trivial_app

if TYPE_CHECKING:
    from limits.aio.strategies import RateLimiter

    from garrison.ratelimit.quota import Algorithm, Quota

# Asks once for each of some keys.
Burst: TypeAlias = Callable[[list[str]], Coroutine[Any, Any, None]]

# High enough that nothing is refused: what is measured is the price of letting a request through.
QUOTA: Final = "100000000/hour"
# What is usual for one process, and what it must still hold.
LIVE: Final = 100_000
CROWD: Final = 1_000_000
# Seconds of CPU that one figure takes; some decisions of `limits` take 15 ms.
SPELL: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one decision costs.

    Attributes:
        name: of what decides.
        alone: µs, always for the same key, one decision after the other.
        live: µs, for random keys out of `LIVE`, with a turn of the event loop between two decisions, as in
            a server; the turn is not counted, and what it does for the store is.
    """

    name: str
    alone: float
    live: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        bare: µs of a request to the bare app, in the same process.
        costs: of one decision, by what decides.
        live: keys in the column of that name.
        crowd: keys for what follows, of Garrison's token bucket alone.
        crowded: µs of a decision for random keys of the crowd.
        bytes_per_key: resident memory of the process that the crowd adds, keys included; None where
            the system does not tell.
        longest: µs of the longest decision while the crowd expires.
        tenth: µs of the tenth longest: a shared machine adds a few long ones of its own.
    """

    bare: float
    costs: list[Cost]
    live: int
    crowd: int
    crowded: float
    bytes_per_key: float | None
    longest: float
    tenth: float


def report(*, live: int = LIVE, crowd: int = CROWD, spell: float = SPELL) -> Report:
    """Measure everything once.

    Args:
        live: keys for what is compared.
        crowd: keys for memory and stalls.
        spell: seconds of CPU that each figure takes, or three bursts if those take longer.
    """
    # First, while the memory of this process is its own.
    crowded, bytes_per_key, longest, tenth = crowd_figures(crowd)
    with asyncio.Runner() as runner:
        bare = Variant(name=BARE, app=trivial_app())
        rounds = [runner.run(cost(bare, 200, lambda: None)) for _ in range(15)]
    return Report(
        bare=statistics.median(rounds),
        costs=[_cost(name, burst, live, spell) for name, burst in bursts().items()],
        live=live,
        crowd=crowd,
        crowded=crowded,
        bytes_per_key=bytes_per_key,
        longest=longest,
        tenth=tenth,
    )


def bursts() -> dict[str, Burst]:
    """What decides, by name; each with a store of its own."""
    found = {
        "Garrison, token bucket": _garrison(QUOTA, "token-bucket"),
        "  called, not awaited": _garrison_called(),
        "Garrison, fixed window": _garrison(QUOTA, "fixed-window"),
        "Garrison, sliding window": _garrison(QUOTA, "sliding-window"),
        "Garrison, two token buckets": _garrison(f"{QUOTA}; 100000000/minute", "token-bucket"),
    }
    item = limits.parse(QUOTA)
    for strategy in (FixedWindowRateLimiter, SlidingWindowCounterRateLimiter, MovingWindowRateLimiter):
        found[f"limits, {strategy.__name__.removesuffix('RateLimiter')}"] = _limits(
            strategy(AsyncMemory()), item
        )
    found["limits in slowapi, FixedWindow"] = _limits_sync(SyncFixedWindow(MemoryStorage()), item)
    return found


def crowd_figures(crowd: int) -> tuple[float, float | None, float, float]:
    """Fill a store, ask for what is in it, and let all of it expire.

    Args:
        crowd: keys.

    Returns:
        `crowded`, `bytes_per_key`, `longest` and `tenth` of `Report`.
    """
    now = 0.0
    store = MemoryStore(clock=lambda: now, bound=crowd)
    decide, quotas = store.decide, parse_quotas("100/minute")
    gc.collect()
    before = _resident()
    for number in range(crowd):
        decide(_key(number), quotas)
    after = _resident()
    some = random.sample(range(crowd), min(crowd, 50_000))
    keys = [_key(number) for number in some]
    crowded = asyncio.run(_spells(_of(store, quotas), keys, SPELL, hits=1000))
    now += 3600.0
    spent = []
    for number in range(crowd):
        now += 0.001
        key = f"new {number:016}"
        started = time.thread_time_ns()
        decide(key, quotas)
        spent.append((time.thread_time_ns() - started) / 1000)
        if len(store) < crowd / 100:
            break
    spent.sort(reverse=True)
    each = None if before is None or after is None else (after - before) / crowd
    return crowded, each, spent[0], spent[9]


def main() -> None:
    """Print the report; `--quick` is for a look at the table."""
    quick = "--quick" in sys.argv[1:]
    found = report(live=1000, crowd=10_000, spell=0.02) if quick else report()
    sys.stdout.buffer.write(orjson.dumps(asdict(found)))


def _cost(name: str, burst: Burst, live: int, spell: float) -> Cost:
    async def both() -> tuple[float, float]:
        alone = await _spells(burst, ["203.0.113.7"], spell, hits=1000)
        keys = [_key(number) for number in range(live)]
        await burst(keys)
        random.shuffle(keys)
        return alone, await _spells(burst, keys, spell, turns=True)

    gc.collect()
    # Shortly before, because a shared machine changes its speed; in a loop that no store has tasks in.
    turn = asyncio.run(_spells(_nothing, [""], spell, turns=True))
    alone, crowded = asyncio.run(both())
    return Cost(name=name, alone=alone, live=max(crowded - turn, 0.0))


async def _spells(
    burst: Burst, keys: list[str], spell: float, *, turns: bool = False, hits: int = 10
) -> float:
    """µs of one decision, the median of bursts of `hits` keys; with turns each key is a burst."""
    spells: list[float] = []
    place, until = 0, time.thread_time() + spell
    while len(spells) < 3 or time.thread_time() < until:
        some = [keys[(place + number) % len(keys)] for number in range(hits)]
        place += hits
        started = time.thread_time_ns()
        if turns:
            for key in some:
                await burst([key])
                await asyncio.sleep(0)
        else:
            await burst(some)
        spells.append((time.thread_time_ns() - started) / 1000 / hits)
    return statistics.median(spells)


def _garrison(text: str, algorithm: Algorithm) -> Burst:
    return _of(MemoryStore(), parse_quotas(text, algorithm))


def _of(store: MemoryStore, quotas: tuple[Quota, ...]) -> Burst:
    async def burst(keys: list[str]) -> None:
        for key in keys:
            await store.acquire(key, quotas)

    return burst


def _garrison_called() -> Burst:
    store, quotas = MemoryStore(), parse_quotas(QUOTA)

    async def burst(keys: list[str]) -> None:
        for key in keys:
            store.decide(key, quotas)

    return burst


def _limits(limiter: RateLimiter, item: limits.RateLimitItem) -> Burst:
    async def burst(keys: list[str]) -> None:
        for key in keys:
            await limiter.hit(item, key)

    return burst


def _limits_sync(limiter: SyncFixedWindow, item: limits.RateLimitItem) -> Burst:
    async def burst(keys: list[str]) -> None:
        for key in keys:
            limiter.hit(item, key)

    return burst


async def _nothing(keys: list[str]) -> None:
    for _ in keys:
        pass


def _key(number: int) -> str:
    return f"key {number:016}"


def _resident() -> int | None:
    """Bytes of memory that the process has, where Linux says so."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


if __name__ == "__main__":
    main()
