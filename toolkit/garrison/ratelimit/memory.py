"""The token bucket, as GCRA, in the memory of one process."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.quota import Decision, Quota, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

# Shared by all clients beyond the bound: a flood of new addresses can neither fill the memory nor make
# the store forget a client that is blocked. Followed by the quotas, because targets have quotas of their own.
OVERFLOW: Final = "\0overflow "

# The part of a step that is forgiven: far more than the clock's rounding after years of uptime, and far
# less than a request. Nothing is gained by it, because a step is taken in full all the same.
FORGIVEN: Final = 1e-3


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
        self._latest: tuple[Quota, ...] = ()
        self._longest = 0.0
        self._next_turn = 0.0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Decide for all quotas at once; see `Store`."""
        now = self._clock()
        if now >= self._next_turn or quotas is not self._latest:
            self._turn(now, quotas)
        arrivals = self._young.get(key)
        if arrivals is None:
            key, arrivals = self._admit(key, quotas)
        allowed = True
        after: list[float] = []
        for quota, arrival in zip(quotas, arrivals, strict=True):
            full_at = (arrival if arrival > now else now) + cost * quota.step  # noqa: FURB136 - a call costs more
            after.append(full_at)
            if full_at - now - quota.period > quota.step * FORGIVEN:
                allowed = False
        if not allowed:
            return _refusal(quotas, arrivals, after, now)
        self._young[key] = tuple(after)
        standings = [_standing(quota, arrival, now) for quota, arrival in zip(quotas, after, strict=True)]
        return Decision(True, (), 0.0, tuple(standings))  # noqa: FBT003 - names cost half a microsecond

    def _admit(self, key: str, quotas: tuple[Quota, ...]) -> tuple[str, tuple[float, ...]]:
        """Move a key into the young generation, or a new one beyond the bound into the shared bucket."""
        arrivals = self._old.pop(key, None)
        if arrivals is None and len(self) >= self._bound:
            key = OVERFLOW + " ".join([quota.name for quota in quotas])
            arrivals = self._young.get(key) or self._old.pop(key, None)
        self._young[key] = arrivals = arrivals or (0.0,) * len(quotas)
        return key, arrivals

    def _turn(self, now: float, quotas: tuple[Quota, ...]) -> None:
        self._latest = quotas
        longest = max(quota.period for quota in quotas)
        if longest > self._longest:
            self._longest = longest
            self._next_turn = now + longest
        if now >= self._next_turn:
            self._old, self._young = self._young, {}
            self._next_turn = now + self._longest


def _refusal(
    quotas: tuple[Quota, ...], arrivals: tuple[float, ...], after: list[float], now: float
) -> Decision:
    late = [full_at - now - quota.period for quota, full_at in zip(quotas, after, strict=True)]
    refused = tuple(
        quota for quota, seconds in zip(quotas, late, strict=True) if seconds > quota.step * FORGIVEN
    )
    standings = [_standing(quota, arrival, now) for quota, arrival in zip(quotas, arrivals, strict=True)]
    return Decision(allowed=False, refused_by=refused, retry_after=max(late), standings=tuple(standings))


def _standing(quota: Quota, arrival: float, now: float) -> Standing:
    if arrival <= now:
        return Standing(quota, quota.limit, 0.0)
    taken = (arrival - now) / quota.step
    remaining = int(quota.limit - taken + FORGIVEN)
    more_after = (taken - (quota.limit - remaining - 1)) * quota.step
    return Standing(quota, remaining, max(more_after, 0.0))
