"""The token bucket, as GCRA, in the memory of one process."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.quota import Decision, Quota, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

# Shared by all clients beyond the bound: a flood of new addresses can neither fill the memory nor make
# the store forget a client that is blocked.
OVERFLOW: Final = "\0overflow"


class MemoryStore:
    """Counts for one process, bounded.

    The generic cell rate algorithm (ITU-T I.371) keeps one number for each quota of a key: the
    theoretical arrival time, the moment at which the bucket is full again. A request is allowed while
    that moment is not more than the quota's period away.

    Keys live in two generations. A key that is asked for moves to the young one; every longest period
    the old one, in which nothing was asked for that long and every bucket is full again, is let go.

    Args:
        clock: seconds that never go back.
        bound: how many keys there may be; further ones share one bucket.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic, bound: int = 1_000_000) -> None:
        self._clock = clock
        self._bound = bound
        self._young: dict[str, tuple[float, ...]] = {}
        self._old: dict[str, tuple[float, ...]] = {}
        self._longest = 0.0
        self._next_turn = 0.0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Decide for all quotas at once; see `Store`."""
        now = self._clock()
        self._turn(now, quotas)
        arrivals = self._young.get(key)
        if arrivals is None:
            arrivals = self._old.pop(key, None)
            if arrivals is None and len(self) >= self._bound:
                key = OVERFLOW
                arrivals = self._young.get(key) or self._old.pop(key, None)
            self._young[key] = arrivals = arrivals or (0.0,) * len(quotas)
        after, refused, wait = [], [], 0.0
        for quota, arrival in zip(quotas, arrivals, strict=True):
            step = quota.period / quota.limit
            full_at = max(arrival, now) + cost * step
            after.append(full_at)
            # Half a step of tolerance would admit one too many; a billionth of it only forgives rounding.
            late = full_at - now - quota.period
            if late > step * 1e-9:
                refused.append(quota)
                wait = max(wait, late)
        if not refused:
            self._young[key] = arrivals = tuple(after)
        standings = tuple(
            _standing(quota, arrival, now) for quota, arrival in zip(quotas, arrivals, strict=True)
        )
        return Decision(allowed=not refused, refused_by=tuple(refused), retry_after=wait, standings=standings)

    def _turn(self, now: float, quotas: tuple[Quota, ...]) -> None:
        for quota in quotas:
            if quota.period > self._longest:
                self._longest = quota.period
                self._next_turn = now + quota.period
        if now >= self._next_turn:
            self._old, self._young = self._young, {}
            self._next_turn = now + self._longest


def _standing(quota: Quota, arrival: float, now: float) -> Standing:
    step = quota.period / quota.limit
    taken = max(arrival - now, 0.0) / step
    remaining = int(quota.limit - taken + 1e-9)
    more_after = (taken - (quota.limit - remaining - 1)) * step if remaining < quota.limit else 0.0
    return Standing(quota=quota, remaining=remaining, more_after=max(more_after, 0.0))
