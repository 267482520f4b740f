"""What quotas mean, in exact arithmetic: every store is judged by these.

Each model is as plain as it can be, knows nothing of memory or speed, and says at any moment what a request
would be told. `Referee` compares a store's decisions with them.
"""

from __future__ import annotations

from copy import copy
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Final, Protocol, get_args

from garrison.ratelimit.quota import Algorithm

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Decision, Quota, Standing

ALGORITHMS: Final[tuple[Algorithm, ...]] = get_args(Algorithm)

# What the clocks and the arithmetic of a store may be off, in seconds.
TOLERANCE: Final = Fraction(1, 100_000)


class Model(Protocol):
    """What one quota of one key knows; times are exact seconds.

    Where the clock goes back, as that of a server may, nothing lasts longer than its period from then.
    """

    def wait(self, now: Fraction, cost: int) -> Fraction:
        """Seconds until so many units fit; 0 if they do now."""
        ...

    def take(self, now: Fraction, cost: int) -> None:
        """Take units that fit."""
        ...

    def refund(self, now: Fraction, cost: int) -> None:
        """Give units back, never below untouched."""
        ...

    def remaining(self, now: Fraction) -> int:
        """Whole units left."""
        ...

    def reset_after(self, now: Fraction) -> Fraction:
        """Seconds until nothing is used."""
        ...


class TokenBucket:
    """A bucket with a level of tokens that fills evenly."""

    def __init__(self, quota: Quota) -> None:
        self.limit = Fraction(quota.limit)
        self.period = Fraction(quota.period)
        self.level = self.limit
        self.then: Fraction | None = None

    def _fill(self, now: Fraction) -> None:
        if self.then is not None:
            self.level = min(
                self.limit, self.level + max(now - self.then, Fraction(0)) * self.limit / self.period
            )
        self.then = now

    def wait(self, now: Fraction, cost: int) -> Fraction:
        """Seconds until the level is high enough."""
        self._fill(now)
        if cost > self.limit:
            return self.period
        return max(cost - self.level, Fraction(0)) * self.period / self.limit

    def take(self, now: Fraction, cost: int) -> None:
        """Lower the level."""
        self._fill(now)
        self.level -= cost

    def refund(self, now: Fraction, cost: int) -> None:
        """Raise the level."""
        self._fill(now)
        self.level = min(self.limit, self.level + cost)

    def remaining(self, now: Fraction) -> int:
        """Whole tokens."""
        self._fill(now)
        return max(floor(self.level), 0)

    def reset_after(self, now: Fraction) -> Fraction:
        """Seconds until the bucket is full."""
        self._fill(now)
        return (self.limit - self.level) * self.period / self.limit


class FixedWindow:
    """A window from the first hit on; while nothing is used there is none."""

    def __init__(self, quota: Quota) -> None:
        self.limit = quota.limit
        self.period = Fraction(quota.period)
        self.end: Fraction | None = None
        self.used = 0

    def _turn(self, now: Fraction) -> None:
        if self.end is not None:
            self.end = min(self.end, now + self.period)
        if self.used == 0 or (self.end is not None and self.end <= now):
            self.end, self.used = None, 0

    def wait(self, now: Fraction, cost: int) -> Fraction:
        """Seconds until the window ends, if there is too much in it."""
        self._turn(now)
        if cost > self.limit:
            return self.period
        return self.reset_after(now) if self.used + cost > self.limit else Fraction(0)

    def take(self, now: Fraction, cost: int) -> None:
        """Use units of the window, or of a new one."""
        self._turn(now)
        self.end = now + self.period if self.end is None else self.end
        self.used += cost

    def refund(self, now: Fraction, cost: int) -> None:
        """Use less of the window, if it has not ended."""
        self._turn(now)
        self.used = max(self.used - cost, 0)

    def remaining(self, now: Fraction) -> int:
        """What the window has left."""
        self._turn(now)
        return self.limit - self.used

    def reset_after(self, now: Fraction) -> Fraction:
        """Seconds until the window ends."""
        self._turn(now)
        return self.end - now if self.end is not None else Fraction(0)


class SlidingWindow:
    """Two windows from the first hit on, of which the older one counts as far as it is in the last period."""

    def __init__(self, quota: Quota) -> None:
        self.limit = quota.limit
        self.period = Fraction(quota.period)
        self.start: Fraction | None = None
        self.previous = self.current = 0

    def _turn(self, now: Fraction) -> None:
        if self.start is not None:
            self.start = min(self.start, now)
        while self.start is not None and (self.previous or self.current) and now >= self.start + self.period:
            self.start += self.period
            self.previous, self.current = self.current, 0
        if not (self.previous or self.current):
            self.start = None

    def _weight(self, now: Fraction) -> Fraction:
        elapsed = now - self.start if self.start is not None else Fraction(0)
        return self.previous * (1 - elapsed / self.period) + self.current

    def wait(self, now: Fraction, cost: int) -> Fraction:
        """Seconds until the weight leaves so much room; the weight only sinks."""
        self._turn(now)
        if cost > self.limit:
            return self.period
        if self.start is None or self._weight(now) + cost <= self.limit:
            return Fraction(0)
        end = self.start + self.period
        if self.current + cost <= self.limit:
            return end - self.period * Fraction(self.limit - self.current - cost, self.previous) - now
        return end + self.period - self.period * Fraction(self.limit - cost, self.current) - now

    def take(self, now: Fraction, cost: int) -> None:
        """Use units of the younger window."""
        self._turn(now)
        self.start = now if self.start is None else self.start
        self.current += cost

    def refund(self, now: Fraction, cost: int) -> None:
        """Use less of the younger window, and then of the older one."""
        self._turn(now)
        given = min(cost, self.current)
        self.current -= given
        self.previous = max(self.previous - (cost - given), 0)

    def remaining(self, now: Fraction) -> int:
        """What the weight leaves, in whole units."""
        self._turn(now)
        return max(floor(self.limit - self._weight(now)), 0)

    def reset_after(self, now: Fraction) -> Fraction:
        """Seconds until no window that holds anything is within the last period."""
        self._turn(now)
        if self.start is None:
            return Fraction(0)
        return self.start + self.period * (2 if self.current else 1) - now


MODELS: Final[dict[str, type[TokenBucket | FixedWindow | SlidingWindow]]] = {
    "token-bucket": TokenBucket,
    "fixed-window": FixedWindow,
    "sliding-window": SlidingWindow,
}


class Referee:
    """Follows one key of a store, and objects to a decision that the models would not have taken.

    At the edge of a window, or of a unit, no clock of floats or microseconds can tell which side it is on:
    there a store may decide as it would have a moment before or after.

    Args:
        quotas: of the key.
        tolerance: that moment, in seconds.
    """

    def __init__(self, quotas: tuple[Quota, ...], tolerance: Fraction = TOLERANCE) -> None:
        self.quotas = quotas
        self.tolerance = tolerance
        self.models: list[Model] = [MODELS[quota.algorithm](quota) for quota in quotas]

    def judge(self, now: Fraction, cost: int, decision: Decision, *, taken: bool = True) -> None:
        """Compare a decision with the models, and let them take what it took.

        Args:
            now: when it was taken, in seconds.
            cost: of the request.
            decision: what the store said.
            taken: whether an allowed request took its units; not so where a store was only asked to look,
            which costs 1 then.
        """
        judge_all({self: cost if taken else 0}, now, decision)

    def wait(self, now: Fraction, cost: int) -> Fraction:
        """Seconds until all quotas have room."""
        return max(model.wait(now, cost) for model in self.models)

    def follow(self, now: Fraction, cost: int, decision: Decision) -> None:
        """Let the models take what the decision took, and compare where they stand then.

        Args:
            now: when it was taken, in seconds.
            cost: of the request; 0 where the store was only asked to look.
            decision: with the standings of these quotas.
        """
        takes = cost if decision.allowed else 0
        self.models = [
            self._matching(model, now, (max(cost, 1), takes, standing.quota in decision.refused_by), standing)
            for model, standing in zip(self.models, decision.standings, strict=True)
        ]

    def refund(self, now: Fraction, cost: int) -> None:
        """Give units back, as the store was asked to."""
        for model in self.models:
            model.refund(now, cost)

    def _matching(
        self, model: Model, now: Fraction, asked: tuple[int, int, bool], standing: Standing
    ) -> Model:
        cost, takes, refused = asked
        for moment in (now, now + self.tolerance, now - self.tolerance):
            tried = copy(model)
            if (tried.wait(moment, cost) > 0) != refused:
                continue
            if takes:
                tried.take(moment, takes)
            if self._agree(tried, moment, standing):
                return tried
        raise AssertionError(f"{vars(model)} at {float(now)}: {asked} is not {standing!r}")

    def _agree(self, model: Model, now: Fraction, standing: Standing) -> bool:
        remaining = model.remaining(now)
        untouched = remaining == standing.quota.limit
        more = Fraction(0) if untouched else model.wait(now, remaining + 1)
        off = max(
            abs(more - Fraction(standing.more_after)),
            abs(model.reset_after(now) - Fraction(standing.reset_after)),
        )
        return remaining == standing.remaining and off <= self.tolerance * 2


def judge_all(costs: dict[Referee, int], now: Fraction, decision: Decision) -> None:
    """Compare a decision about several keys with what the models of each of them say.

    Args:
        costs: what was asked of each key, in the order of the parts; no two of them have a quota in common.
        now: when it was decided, in seconds.
        decision: what the store said.
    """
    assert decision.allowed == (not decision.refused_by)
    assert [standing.quota for standing in decision.standings] == [
        quota for referee in costs for quota in referee.quotas
    ]
    wait = max(referee.wait(now, max(cost, 1)) for referee, cost in costs.items())
    tolerance = max(referee.tolerance for referee in costs)
    assert abs(wait - Fraction(decision.retry_after)) <= tolerance * 2, (wait, decision)
    standings = decision.standings
    for referee, cost in costs.items():
        own, standings = standings[: len(referee.quotas)], standings[len(referee.quotas) :]
        referee.follow(now, cost, decision._replace(standings=own))
