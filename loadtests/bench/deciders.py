"""What decides about quotas in the memory of one process: Garrison's stores, and those of the peers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import limits
from limits.aio.storage import MemoryStorage as AsyncMemory
from limits.aio.strategies import (
    FixedWindowRateLimiter,
    MovingWindowRateLimiter,
    SlidingWindowCounterRateLimiter,
)
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter as SyncFixedWindow
from throttled.asyncio import MemoryStore as ThrottledStore
from throttled.asyncio import RateLimiterType, Throttled

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas

if TYPE_CHECKING:
    from limits.aio.strategies import RateLimiter

    from garrison.ratelimit.quota import Algorithm, Quota

# Asks once for each of some keys.
Burst: TypeAlias = Callable[[list[str]], Coroutine[Any, Any, None]]

# High enough that nothing is refused: what is measured is the price of letting a request through.
QUOTA: Final = "100000000/hour"
# Keys that throttled-py may remember; its own default of 1,024 forgets all others of the same crowd.
ROOM: Final = 1_000_000


def bursts() -> dict[str, Burst]:
    """What decides, by name; each with a store of its own."""
    return {
        "Garrison, token bucket": garrison(QUOTA, "token-bucket"),
        "  called, not awaited": _garrison_called(),
        "Garrison, fixed window": garrison(QUOTA, "fixed-window"),
        "Garrison, sliding window": garrison(QUOTA, "sliding-window"),
        "Garrison, two token buckets": garrison(f"{QUOTA}; 100000000/minute", "token-bucket"),
        "limits, FixedWindow": limits_burst(FixedWindowRateLimiter(AsyncMemory())),
        "limits, SlidingWindowCounter": limits_burst(SlidingWindowCounterRateLimiter(AsyncMemory())),
        "limits, MovingWindow": limits_burst(MovingWindowRateLimiter(AsyncMemory())),
        "limits in slowapi, FixedWindow": _limits_sync(SyncFixedWindow(MemoryStorage())),
        "throttled-py, fixed window": throttled_burst(RateLimiterType.FIXED_WINDOW),
        "throttled-py, token bucket": throttled_burst(RateLimiterType.TOKEN_BUCKET),
        "throttled-py, GCRA": throttled_burst(RateLimiterType.GCRA),
    }


def garrison(text: str, algorithm: Algorithm) -> Burst:
    """The memory store with quotas in their notation."""
    return of(MemoryStore(), parse_quotas(text, algorithm))


def of(store: MemoryStore, quotas: tuple[Quota, ...]) -> Burst:
    """A memory store as the middleware may ask any store."""

    async def burst(keys: list[str]) -> None:
        for key in keys:
            await store.acquire(key, quotas)

    return burst


def limits_burst(limiter: RateLimiter) -> Burst:
    """A strategy of `limits`; it says only whether there is room, and no more."""
    item = limits.parse(QUOTA)

    async def burst(keys: list[str]) -> None:
        for key in keys:
            await limiter.hit(item, key)

    return burst


def throttled_burst(algorithm: RateLimiterType) -> Burst:
    """An algorithm of throttled-py."""
    store = ThrottledStore(options={"MAX_SIZE": ROOM})
    limiter = Throttled(using=algorithm.value, quota=QUOTA, store=store)

    async def burst(keys: list[str]) -> None:
        for key in keys:
            await limiter.limit(key)

    return burst


def _garrison_called() -> Burst:
    store, quotas = MemoryStore(), parse_quotas(QUOTA)

    async def burst(keys: list[str]) -> None:
        for key in keys:
            store.decide(key, quotas)

    return burst


def _limits_sync(limiter: SyncFixedWindow) -> Burst:
    item = limits.parse(QUOTA)

    async def burst(keys: list[str]) -> None:
        for key in keys:
            limiter.hit(item, key)

    return burst
