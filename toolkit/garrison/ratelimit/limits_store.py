"""The long tail of storages: what the `limits` package keeps its counts in."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from hashlib import sha256
from math import ceil
from time import time
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote, urlsplit

from limits import RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from garrison.ratelimit.quota import Decision, Part, Standing, joined
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.rules import NotationError
from garrison.wording import mask_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from limits import RateLimitItem
    from limits.aio.storage import SlidingWindowCounterSupport, Storage
    from limits.aio.strategies import RateLimiter

    from garrison.ratelimit.quota import Algorithm, Quota

STRATEGIES: Final[dict[Algorithm, type[RateLimiter]]] = {
    "sliding-window": SlidingWindowCounterRateLimiter,
    "fixed-window": FixedWindowRateLimiter,
}
EXPECTED: Final = "the URI of an async storage of the limits package, such as memcached://host:11211"
# memcached takes 250 bytes, of which the quota needs some.
LONGEST: Final = 150
# A wait that ends exactly at a boundary would be on the wrong side of it.
SOONEST: Final = 0.001


class LimitsStore:
    """Counts in any async storage of the `limits` package, such as memcached or MongoDB.

    It is made of what every storage has, and that is less than the other stores do. All quotas are tested
    and then hit one after the other, which is not atomic: requests at the same moment can take one quota
    and be refused by the next, and a few more than the limit may pass. Each quota takes several round
    trips. Units cannot be given back, so that `refund` does nothing. Windows are those of the clocks of the
    machines that ask.

    Args:
        uri: as `limits` has it, with or without `async+` in front.
        algorithm: that of all quotas.

    Attributes:
        name: the URI without user and password.

    Raises:
        NotationError: the URI is not one, or the storage lacks the algorithm.
    """

    def __init__(self, uri: str, algorithm: Algorithm) -> None:
        self._uri = uri if uri.startswith("async+") else f"async+{uri}"
        self._algorithm = algorithm
        parts = urlsplit(self._uri)
        self.name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        storage = self._storage()
        has = [name for name, strategy in STRATEGIES.items() if _offers(storage, strategy)]
        if algorithm not in has:
            scheme = parts.scheme.removeprefix("async+")
            raise NotationError(f"one of the algorithms that {scheme} has: {', '.join(has)}", algorithm)
        # A storage belongs to the loop in which it was first used.
        self._limiters: dict[asyncio.AbstractEventLoop, RateLimiter] = {}
        self._items: dict[Quota, RateLimitItem] = {}

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Test all quotas, then hit them; see `Store`.

        Raises:
            ValueError: the cost is below 1, or a quota has another algorithm.
            StoreUnavailableError: the storage did not answer.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")
        return await self.acquire_all((Part(key, quotas, cost),))

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """Test all quotas of all parts, then hit them; see `Store`.

        Raises:
            ValueError: a cost is below 0, or a quota has another algorithm.
            StoreUnavailableError: the storage did not answer.
        """
        if min(part.cost for part in parts) < 0:
            raise ValueError("costs of at least 0, not " + " and ".join(str(part.cost) for part in parts))
        limiter = self._limiter()
        asked = [_Asked(_escaped(key), quotas, self._read(quotas), cost) for key, quotas, cost in parts]
        with _failures(self.name):
            rooms = [await one.test(limiter) for one in asked]
            if all(map(all, rooms)):
                # One that was taken by somebody else in between is refused after all.
                rooms = [
                    await one.hit(limiter) if one.cost else room
                    for one, room in zip(asked, rooms, strict=True)
                ]
            told = [await self._decision(limiter, one, room) for one, room in zip(asked, rooms, strict=True)]
        return joined(told)

    async def refund(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> None:  # noqa: ARG002 - as all
        """Do nothing, because the storages cannot give units back.

        Raises:
            ValueError: the cost is below 1.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")

    async def standing(self, key: str, quotas: tuple[Quota, ...]) -> Decision:
        """Look, and take nothing; see `Store`.

        Raises:
            ValueError: a quota has another algorithm.
            StoreUnavailableError: the storage did not answer.
        """
        return await self.acquire_all((Part(key, quotas, 0),))

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:
        """Forget what a key has used of these quotas; see `Store`.

        Raises:
            ValueError: a quota has another algorithm.
            StoreUnavailableError: the storage did not answer.
        """
        limiter, name, used = self._limiter(), _escaped(key), False
        with _failures(self.name):
            for quota, item in zip(quotas, self._read(quotas), strict=True):
                standing, _ = await self._standing(limiter, name, quota, 1)
                used = used or standing.remaining < quota.limit
                await limiter.clear(item, name)
        return used

    async def aclose(self) -> None:
        """Forget the storage of this event loop, whose connections end with it."""
        self._limiters.pop(asyncio.get_running_loop(), None)

    def _storage(self) -> Storage:
        try:
            # What drivers raise is wrapped, so that it can be told from mistakes.
            return cast("Storage", storage_from_string(self._uri, wrap_exceptions=True))
        except (ConfigurationError, ValueError) as error:
            raise NotationError(f"{EXPECTED} ({mask_credentials(str(error))})", self.name) from error

    def _limiter(self) -> RateLimiter:
        loop = asyncio.get_running_loop()
        limiter = self._limiters.get(loop)
        if limiter is None:
            self._limiters = {other: kept for other, kept in self._limiters.items() if not other.is_closed()}
            self._limiters[loop] = limiter = STRATEGIES[self._algorithm](self._storage())
        return limiter

    def _read(self, quotas: tuple[Quota, ...]) -> list[RateLimitItem]:
        for quota in quotas:
            if quota.algorithm != self._algorithm:
                raise ValueError(f"quotas of the algorithm {self._algorithm}, not {quota.algorithm}")
            if quota not in self._items:
                item = RateLimitItemPerSecond(quota.limit, ceil(quota.period), namespace="garrison")
                self._items[quota] = item
        return [self._items[quota] for quota in quotas]

    async def _decision(self, limiter: RateLimiter, asked: _Asked, room: list[bool]) -> Decision:
        told = [
            await self._standing(limiter, asked.name, quota, max(asked.cost, 1)) for quota in asked.quotas
        ]
        return Decision(
            allowed=all(room),
            refused_by=tuple(quota for quota, has in zip(asked.quotas, room, strict=True) if not has),
            retry_after=max(0.0 if has else wait for (_, wait), has in zip(told, room, strict=True)),
            standings=tuple(standing for standing, _ in told),
        )

    async def _standing(
        self, limiter: RateLimiter, name: str, quota: Quota, cost: int
    ) -> tuple[Standing, float]:
        """Where a client stands, and when so many units fit."""
        item = self._items[quota]
        if isinstance(limiter, SlidingWindowCounterRateLimiter):
            # What `limits` says about the reset of these windows is not when there is room.
            storage = cast("SlidingWindowCounterSupport", limiter.storage)
            counts = await storage.get_sliding_window(item.key_for(name), item.get_expiry())
            windows = _Windows(quota, *counts)
            return windows.standing(), windows.wait(cost)
        reset_time, remaining = await limiter.get_window_stats(item, name)
        if remaining >= quota.limit:
            return Standing(quota, quota.limit, 0.0, 0.0), quota.period
        wait = max(reset_time - time(), SOONEST)
        return Standing(quota, remaining, wait, wait), wait if cost <= quota.limit else quota.period


class _Asked(NamedTuple):
    """A part, in the words of `limits`."""

    name: str
    quotas: tuple[Quota, ...]
    items: list[RateLimitItem]
    cost: int

    async def test(self, limiter: RateLimiter) -> list[bool]:
        return [await limiter.test(item, self.name, cost=max(self.cost, 1)) for item in self.items]

    async def hit(self, limiter: RateLimiter) -> list[bool]:
        return [await limiter.hit(item, self.name, cost=self.cost) for item in self.items]


class _Windows:
    """The two windows of a sliding window, and for how many seconds each of them still counts."""

    def __init__(
        self, quota: Quota, previous: int, previous_expires: float, current: int, current_expires: float
    ) -> None:
        self._quota = quota
        self._previous = previous
        self._current = current
        self._end = previous_expires
        self._turn = max(current_expires - quota.period, 0.0)

    def standing(self) -> Standing:
        quota = self._quota
        used = int(self._previous * self._end / quota.period + self._current)
        if not self._previous and not self._current:
            return Standing(quota, quota.limit, 0.0, 0.0)
        remaining = max(quota.limit - used, 0)
        more_after = self.wait(remaining + 1) if remaining < quota.limit else 0.0
        reset_after = self._turn + quota.period if self._current else self._end
        return Standing(quota, remaining, more_after, reset_after)

    def wait(self, units: int) -> float:
        """Seconds until there is room; `limits` rounds what is used down, so it must be below a bound."""
        quota, bound = self._quota, self._quota.limit - units + 1
        if bound < 1:
            return quota.period
        if self._current < bound:
            share = (bound - self._current) * quota.period / self._previous if self._previous else self._end
            return max(self._end - share, 0.0) + SOONEST
        return self._turn + max(quota.period - bound * quota.period / self._current, 0.0) + SOONEST


def _offers(storage: Storage, strategy: type[RateLimiter]) -> bool:
    try:
        strategy(storage)
    except NotImplementedError:
        return False
    return True


def _escaped(key: str) -> str:
    """The key in letters that every storage takes; what is too long is hashed, and no escaped key has a #."""
    escaped = quote(key, safe="", errors="surrogatepass")
    if len(escaped) <= LONGEST:
        return escaped
    return "#" + sha256(escaped.encode()).hexdigest()


@contextmanager
def _failures(name: str) -> Iterator[None]:
    try:
        yield
    except (StorageError, OSError) as error:
        raise StoreUnavailableError(f"{name}: {error}") from error
