"""Counting for one quota: what a key's state says about a request, and what becomes of it.

A state is as small as its algorithm allows, because there are a million of them, and is replaced, never
changed. It is a float or bytes: a tuple would not only be larger, it would be one of a million things that
the garbage collector looks at when enough of them were replaced. Times are seconds of one clock that never
goes back.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from garrison.ratelimit.quota import Decision, Standing

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Quota

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


class Counter(Protocol[State]):
    """Counts for one quota.

    Attributes:
        quota: the quota.
        untouched: the state of a key that has used nothing.
        layout: how `struct` packs a state among others.
    """

    quota: Quota
    untouched: State
    layout: str

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

    __slots__ = ("_full", "_limit", "_room", "_step", "layout", "quota", "untouched")

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self.untouched: Arrival = -inf
        self.layout = "d"
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

    def take_one(self, state: Arrival, now: float) -> tuple[Arrival, Decision]:
        """As `take`, for a single unit where there is no other quota: most requests of most apps."""
        step = self._step
        used = step + state - now if state > now else step
        left = self._room - used
        if left < 0.0:
            standing = self.standing(state, now)
            return state, made(Decision, (False, (self.quota,), used - self._full, (standing,)))
        remaining = int(left / step)
        more_after = used - (self._limit - remaining - 1) * step
        standing = made(Standing, (self.quota, remaining, more_after, used))
        return now + used, made(Decision, (True, (), 0.0, (standing,)))

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
