"""When the sliding windows of the `limits` package have room, which that package does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.ratelimit.quota import Standing

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Quota

# A wait that ends exactly at a boundary would be on the wrong side of it.
SOONEST: Final = 0.001


class Windows:
    """The two windows of a sliding window, and for how many seconds each of them still counts.

    Args:
        quota: that they count for.
        previous: units used in the window before.
        previous_expires: seconds until that one counts no more.
        current: units used in this one.
        current_expires: seconds until it counts no more, as the window before the next.
    """

    def __init__(
        self, quota: Quota, previous: int, previous_expires: float, current: int, current_expires: float
    ) -> None:
        self._quota = quota
        self._previous = previous
        self._current = current
        self._end = previous_expires
        self._turn = max(current_expires - quota.period, 0.0)

    def standing(self) -> Standing:
        """What is left."""
        quota = self._quota
        used = int(self._previous * self._end / quota.period + self._current)
        if not self._previous and not self._current:
            return Standing(quota, quota.limit, 0.0, 0.0)
        remaining = max(quota.limit - used, 0)
        more_after = self.wait(remaining + 1) if remaining < quota.limit else 0.0
        reset_after = self._turn + quota.period if self._current else self._end
        return Standing(quota, remaining, more_after, reset_after)

    def wait(self, units: int) -> float:
        """Seconds until there is room; `limits` rounds what is used down, so it must be below a bound.

        Args:
            units: that are asked for.
        """
        quota, bound = self._quota, self._quota.limit - units + 1
        if bound < 1:
            return quota.period
        if self._current < bound:
            share = (bound - self._current) * quota.period / self._previous if self._previous else self._end
            return max(self._end - share, 0.0) + SOONEST
        return self._turn + max(quota.period - bound * quota.period / self._current, 0.0) + SOONEST
