"""The arithmetic of quotas: what one key's state says about a request, and what becomes of it.

A state is as small as its algorithm allows, because there are a million of them, and is replaced, never
changed. Times are seconds of one clock that never goes back.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from garrison.ratelimit.quota import Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.ratelimit.quota import Algorithm, Quota

# Who comes a microsecond early is on time: more than the rounding of a clock that has run for years (3.7e-9
# in the first, twice that in the next), and less than any client can make use of.
FORGIVEN: Final = 1e-6
# Seconds that floats add without any rounding until the clock says 2**26, two years: a step that is a
# multiple of this makes the last of a million requests as exact as the first. It takes at most a
# millionth off a step of 7 ms.
QUANTUM: Final = 2.0**-27

# A named tuple's own constructor takes twice as long, which is a tenth of a decision.
made: Final = tuple.__new__

State = TypeVar("State")
# The theoretical arrival time: the moment at which the bucket is full again.
Arrival: TypeAlias = float
# When the window ends, and units used in it.
Window: TypeAlias = tuple[float, int]
# When the current window began, units used in the one before it, units used in it.
Windows: TypeAlias = tuple[float, int, int]


class Counter(Protocol[State]):
    """Counts for one quota.

    Attributes:
        quota: the quota.
        untouched: the state of a key that has used nothing.
    """

    quota: Quota
    untouched: State

    def take(self, state: State, cost: int, now: float) -> tuple[State, float, Standing]:
        """The state after so many units, the seconds until they fit, and the standing after that.

        Where they do not fit now, nothing is taken.
        """
        ...

    def standing(self, state: State, now: float) -> Standing:
        """What is left."""
        ...

    def refunded(self, state: State, cost: int, now: float) -> State:
        """The state after so many units were given back."""
        ...

    def recovered(self, state: State, now: float) -> bool:
        """Whether the state says no more than `untouched`."""
        ...

    def expendable(self, state: State, now: float) -> bool:
        """Whether little is lost with the state: at most one unit of several is used."""
        ...


class TokenBucket:
    """The generic cell rate algorithm (ITU-T I.371): one number says how full the bucket is."""

    __slots__ = ("_full", "_limit", "_room", "_step", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.untouched: Arrival = -inf
        self._limit = quota.limit
        self._step = max(quota.step // QUANTUM, 1.0) * QUANTUM
        # Seconds that it takes an empty bucket to fill; those that may be in use.
        self._full = self._step * quota.limit
        self._room = self._full + min(FORGIVEN, self._step / 4)

    def take(self, state: Arrival, cost: int, now: float) -> tuple[Arrival, float, Standing]:
        """See `Counter`."""
        used = cost * self._step
        if state > now:
            used += state - now
        left = self._room - used
        if left < 0.0:
            wait = used - self._full if cost <= self._limit else self.quota.period
            return state, wait, self.standing(state, now)
        remaining = int(left / self._step)
        more_after = used - (self._limit - remaining - 1) * self._step
        return now + used, 0.0, made(Standing, (self.quota, remaining, more_after, used))

    def standing(self, state: Arrival, now: float) -> Standing:
        """See `Counter`."""
        used = state - now
        remaining = int((self._room - used) / self._step) if used > 0.0 else self._limit
        if remaining >= self._limit:
            return Standing(self.quota, self._limit, 0.0, 0.0)
        return Standing(self.quota, remaining, used - (self._limit - remaining - 1) * self._step, used)

    def refunded(self, state: Arrival, cost: int, now: float) -> Arrival:  # noqa: ARG002 - as the others
        """See `Counter`."""
        return state - cost * self._step

    def recovered(self, state: Arrival, now: float) -> bool:
        """See `Counter`."""
        return state <= now

    def expendable(self, state: Arrival, now: float) -> bool:
        """See `Counter`."""
        return state - now <= (self._step if self._limit > 1 else 0.0)


class FixedWindow:
    """A window that begins with the first hit, and in which nothing comes back."""

    __slots__ = ("_limit", "_period", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.untouched: Window = (-inf, 0)
        self._limit = quota.limit
        self._period = quota.period

    def take(self, state: Window, cost: int, now: float) -> tuple[Window, float, Standing]:
        """See `Counter`."""
        end, used = state
        if end - now <= FORGIVEN:
            end, used = now + self._period, 0
        left = self._limit - used - cost
        ends_after = end - now
        if left < 0:
            wait = ends_after if cost <= self._limit else self._period
            return state, wait, self.standing(state, now)
        return (end, used + cost), 0.0, Standing(self.quota, left, ends_after, ends_after)

    def standing(self, state: Window, now: float) -> Standing:
        """See `Counter`."""
        end, used = state
        if end - now <= FORGIVEN:
            return Standing(self.quota, self._limit, 0.0, 0.0)
        return Standing(self.quota, self._limit - used, end - now, end - now)

    def refunded(self, state: Window, cost: int, now: float) -> Window:  # noqa: ARG002 - as the others
        """See `Counter`; a window in which nothing is used is none."""
        end, used = state
        return (end, used - cost) if used > cost else self.untouched

    def recovered(self, state: Window, now: float) -> bool:
        """See `Counter`."""
        return state[0] - now <= FORGIVEN

    def expendable(self, state: Window, now: float) -> bool:
        """See `Counter`."""
        return state[0] - now <= FORGIVEN or state[1] <= 1 < self._limit


class SlidingWindow:
    """Two windows, of which the older one counts by the part of it that is within the last period."""

    __slots__ = ("_limit", "_period", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.untouched: Windows = (-inf, 0, 0)
        self._limit = quota.limit
        self._period = quota.period

    def take(self, state: Windows, cost: int, now: float) -> tuple[Windows, float, Standing]:
        """See `Counter`."""
        start, previous, current = windows = self._turned(state, now)
        if cost > self._left(windows, now):
            return state, self._wait(windows, cost, now), self.standing(state, now)
        windows = (start, previous, current + cost)
        return windows, 0.0, self._standing(windows, now)

    def standing(self, state: Windows, now: float) -> Standing:
        """See `Counter`."""
        return self._standing(self._turned(state, now), now)

    def refunded(self, state: Windows, cost: int, now: float) -> Windows:
        """See `Counter`; windows in which nothing is used are none."""
        start, previous, current = self._turned(state, now)
        previous = max(previous - max(cost - current, 0), 0)
        current = max(current - cost, 0)
        return (start, previous, current) if previous or current else self.untouched

    def recovered(self, state: Windows, now: float) -> bool:
        """See `Counter`."""
        _, previous, current = self._turned(state, now)
        return not previous and not current

    def expendable(self, state: Windows, now: float) -> bool:
        """See `Counter`."""
        left = self._left(self._turned(state, now), now)
        return left >= self._limit or (left >= self._limit - 1 and self._limit > 1)

    def _turned(self, state: Windows, now: float) -> Windows:
        """The windows as they are now; they begin now where nothing is used."""
        start, _, current = state
        elapsed = now - start + FORGIVEN
        if elapsed < self._period:
            return state
        if elapsed < 2 * self._period and current:
            return start + self._period, current, 0
        return now, 0, 0

    def _left(self, windows: Windows, now: float) -> float:
        start, previous, current = windows
        return self._limit - current - previous * (1 - (now - start + FORGIVEN) / self._period)

    def _wait(self, windows: Windows, cost: int, now: float) -> float:
        """Seconds until units fit that do not fit now: in this window, or if it is too full in the next."""
        start, previous, current = windows
        if cost > self._limit:
            return self._period
        room = self._limit - cost
        if current <= room:
            return start + self._period * (1 - (room - current) / previous) - now
        return start + self._period * (2 - room / current) - now

    def _standing(self, windows: Windows, now: float) -> Standing:
        start, previous, current = windows
        if not previous and not current:
            return Standing(self.quota, self._limit, 0.0, 0.0)
        remaining = int(self._left(windows, now))
        more_after = self._wait(windows, remaining + 1, now)
        reset_after = start + self._period * (2 if current else 1) - now
        return Standing(self.quota, remaining, more_after, reset_after)


COUNTERS: Final[dict[Algorithm, Callable[[Quota], Counter[float] | Counter[Window] | Counter[Windows]]]] = {
    "token-bucket": TokenBucket,
    "fixed-window": FixedWindow,
    "sliding-window": SlidingWindow,
}
