"""The long tail of storages: what the `limits` package keeps its counts in."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from hashlib import sha256
from math import ceil, inf
from time import time
from typing import TYPE_CHECKING, Final, NamedTuple, cast
from urllib.parse import quote, urlsplit

from limits import RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from garrison.ratelimit.limits_connections import close_connections
from garrison.ratelimit.limits_windows import SOONEST, Windows
from garrison.ratelimit.quota import Decision, Part, Standing, joined
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey_url import display
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
# In front of what the package also has for threads.
ASYNC: Final = "async+"
EXPECTED: Final = "the URI of an async storage of the limits package, such as memcached://host:11211"
# memcached takes 250 bytes, of which the quota needs some.
LONGEST: Final = 150
# Seconds; what is to be kept for longer is a date for memcached, which lies in the past, so that it keeps
# nothing at all.
MEMCACHED_LONGEST: Final = 30 * 86_400


class LimitsStore:
    """Counts in any async storage of the `limits` package, such as memcached or MongoDB.

    It is made of what every storage has, and that is less than the other stores do. All quotas are tested
    and then hit one after the other, which is not atomic: requests at the same moment can take one quota
    and be refused by the next, and a few more than the limit may pass. Each quota takes several round
    trips. Units cannot be given back, so that `refund` does nothing. Windows are those of the clocks of the
    machines that ask. At memcached a quota has at most 30 days, and in a sliding window 15.

    Args:
        uri: as `limits` has it, with or without `async+` in front.
        algorithm: that of all quotas.

    Attributes:
        name: the URI without user and password.
        algorithm: that of all quotas.
        longest_period: seconds that a quota can be for; infinite at most storages.

    Raises:
        NotationError: the URI is not one, or the storage lacks the algorithm.
    """

    def __init__(self, uri: str, algorithm: Algorithm) -> None:
        self._uri = uri if uri.startswith(ASYNC) else f"{ASYNC}{uri}"
        self.algorithm: Algorithm = algorithm
        self.name = display(uri)
        storage = self._storage()
        has = [name for name, strategy in STRATEGIES.items() if _offers(storage, strategy)]
        if algorithm not in has:
            scheme = urlsplit(uri).scheme.removeprefix(ASYNC)
            raise NotationError(f"one of the algorithms that {scheme} has: {', '.join(has)}", algorithm)
        is_memcached = urlsplit(uri).scheme.removeprefix(ASYNC) == "memcached"
        # A window is also kept while it is the one before.
        kept = MEMCACHED_LONGEST / (2 if algorithm == "sliding-window" else 1)
        self.longest_period = kept if is_memcached else inf
        # A storage belongs to the loop in which it was first used.
        self._limiters: dict[asyncio.AbstractEventLoop, RateLimiter] = {}
        self._items: dict[Quota, RateLimitItem] = {}

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Test all quotas, then hit them; see `Store`.

        Raises:
            ValueError: the cost is below 1, or a quota has another algorithm or too long a period.
            StoreUnavailableError: the storage did not answer.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")
        return await self.acquire_all((Part(key, quotas, cost),))

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """Test all quotas of all parts, then hit them; see `Store`.

        Raises:
            ValueError: a cost is below 0, or a quota has another algorithm or too long a period.
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
            ValueError: a quota has another algorithm or too long a period.
            StoreUnavailableError: the storage did not answer.
        """
        return await self.acquire_all((Part(key, quotas, 0),))

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:
        """Forget what a key has used of these quotas; see `Store`.

        Raises:
            ValueError: a quota has another algorithm or too long a period.
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
        """Forget the storage of this event loop, and close its connections."""
        limiter = self._limiters.pop(asyncio.get_running_loop(), None)
        if limiter is not None:
            await close_connections(limiter.storage)

    def _storage(self) -> Storage:
        try:
            # What drivers raise is wrapped, so that it can be told from mistakes.
            return cast("Storage", storage_from_string(self._uri, wrap_exceptions=True))
        except (ConfigurationError, ValueError) as error:
            reason = str(error)
            if not self.name.startswith(ASYNC):
                reason = reason.replace(ASYNC, "")
            raise NotationError(f"{EXPECTED} ({mask_credentials(reason)})", self.name) from error

    def _limiter(self) -> RateLimiter:
        loop = asyncio.get_running_loop()
        limiter = self._limiters.get(loop)
        if limiter is None:
            self._limiters = {other: kept for other, kept in self._limiters.items() if not other.is_closed()}
            self._limiters[loop] = limiter = STRATEGIES[self.algorithm](self._storage())
        return limiter

    def _read(self, quotas: tuple[Quota, ...]) -> list[RateLimitItem]:
        for quota in quotas:
            if quota.algorithm != self.algorithm:
                raise ValueError(f"quotas of the algorithm {self.algorithm}, not {quota.algorithm}")
            if quota not in self._items:
                if quota.period > self.longest_period:
                    days = int(self.longest_period // 86_400)
                    raise ValueError(f"quotas of at most {days} days at {self.name}, not {quota.name}")
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
            windows = Windows(quota, *counts)
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
