"""Counting in windows of time: when they began, and what was used in them.

A state is packed into bytes as small as the limit allows, because there may be a million of them.
"""

from __future__ import annotations

from math import inf
from struct import Struct, calcsize
from typing import TYPE_CHECKING, TypeAlias

from garrison.ratelimit.algorithms import FORGIVEN, made
from garrison.ratelimit.quota import Standing

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Quota

# Packed: when the window ends, and units used in it.
Window: TypeAlias = bytes
# Packed: when the current window began, units used in the one before it, units used in it.
Windows: TypeAlias = bytes
Unpacked: TypeAlias = tuple[float, int, int]


class FixedWindow:
    """A window that begins with the first hit, and in which nothing comes back."""

    __slots__ = ("_limit", "_pack", "_period", "_unpack", "layout", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        packing = Struct(f"=d{_count(quota)}")
        self._pack, self._unpack = packing.pack, packing.unpack
        self.quota = quota
        self.untouched: Window = self._pack(-inf, 0)
        self.layout = f"{packing.size}s"
        self._limit = quota.limit
        self._period = quota.period

    def take(self, state: Window, cost: int, now: float) -> tuple[Window, float, Standing]:
        """See `Counter`."""
        end, used = self._unpack(state)
        if end - now <= FORGIVEN:
            end, used = now + self._period, 0
        left = self._limit - used - cost
        ends_after = end - now
        if left < 0:
            wait = ends_after if cost <= self._limit else self._period
            return state, wait, self.standing(state, now)
        return self._pack(end, used + cost), 0.0, made(Standing, (self.quota, left, ends_after, ends_after))

    def standing(self, state: Window, now: float) -> Standing:
        """See `Counter`."""
        end, used = self._unpack(state)
        if end - now <= FORGIVEN:
            return Standing(self.quota, self._limit, 0.0, 0.0)
        return Standing(self.quota, self._limit - used, end - now, end - now)

    def refunded(self, state: Window, cost: int, now: float) -> Window:  # noqa: ARG002 - as the others
        """See `Counter`; a window in which nothing is used is none."""
        end, used = self._unpack(state)
        return self._pack(end, used - cost) if used > cost else self.untouched

    def recovered(self, state: Window, now: float) -> bool:
        """See `Counter`."""
        end, _ = self._unpack(state)
        return bool(end - now <= FORGIVEN)

    def expendable(self, state: Window, now: float) -> bool:
        """See `Counter`."""
        end, used = self._unpack(state)
        return bool(end - now <= FORGIVEN or used <= 1 < self._limit)


class SlidingWindow:
    """Two windows, of which the older one counts by the part of it that is within the last period."""

    __slots__ = ("_limit", "_pack", "_period", "_unpack", "layout", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        packing = Struct(f"=d2{_count(quota)}")
        self._pack, self._unpack = packing.pack, packing.unpack
        self.quota = quota
        self.untouched: Windows = self._pack(-inf, 0, 0)
        self.layout = f"{packing.size}s"
        self._limit = quota.limit
        self._period = quota.period

    def take(self, state: Windows, cost: int, now: float) -> tuple[Windows, float, Standing]:
        """See `Counter`."""
        start, previous, current = windows = self._turned(state, now)
        if cost > self._left(windows, now):
            return state, self._wait(windows, cost, now), self._standing(windows, now)
        windows = (start, previous, current + cost)
        return self._pack(*windows), 0.0, self._standing(windows, now)

    def standing(self, state: Windows, now: float) -> Standing:
        """See `Counter`."""
        return self._standing(self._turned(state, now), now)

    def refunded(self, state: Windows, cost: int, now: float) -> Windows:
        """See `Counter`; windows in which nothing is used are none."""
        start, previous, current = self._turned(state, now)
        previous = max(previous - max(cost - current, 0), 0)
        current = max(current - cost, 0)
        return self._pack(start, previous, current) if previous or current else self.untouched

    def recovered(self, state: Windows, now: float) -> bool:
        """See `Counter`."""
        _, previous, current = self._turned(state, now)
        return not previous and not current

    def expendable(self, state: Windows, now: float) -> bool:
        """See `Counter`."""
        left = self._left(self._turned(state, now), now)
        return left >= self._limit or (left >= self._limit - 1 and self._limit > 1)

    def _turned(self, state: Windows, now: float) -> Unpacked:
        """The windows as they are now; they begin now where nothing is used."""
        start, previous, current = self._unpack(state)
        elapsed = now - start + FORGIVEN
        if elapsed < self._period:
            return start, previous, current
        if elapsed < 2 * self._period and current:
            return start + self._period, current, 0
        return now, 0, 0

    def _left(self, windows: Unpacked, now: float) -> float:
        start, previous, current = windows
        return self._limit - current - previous * (1 - (now - start + FORGIVEN) / self._period)

    def _wait(self, windows: Unpacked, cost: int, now: float) -> float:
        """Seconds until units fit that do not fit now: in this window, or if it is too full in the next."""
        start, previous, current = windows
        if cost > self._limit:
            return self._period
        room = self._limit - cost
        if current <= room:
            return start + self._period * (1 - (room - current) / previous) - now
        return start + self._period * (2 - room / current) - now

    def _standing(self, windows: Unpacked, now: float) -> Standing:
        start, previous, current = windows
        if not previous and not current:
            return Standing(self.quota, self._limit, 0.0, 0.0)
        remaining = int(self._left(windows, now))
        more_after = self._wait(windows, remaining + 1, now)
        reset_after = start + self._period * (2 if current else 1) - now
        return made(Standing, (self.quota, remaining, more_after, reset_after))


def _count(quota: Quota) -> str:
    """How `struct` packs units used, of which there are never more than the limit, in few bytes."""
    return next((code for code in "HI" if quota.limit < 1 << 8 * calcsize(f"={code}")), "Q")
