"""From quotas to decisions: all the quotas of a key are decided at once.

What one key has used is one value: the state of its only quota, or a tuple with that of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from garrison.ratelimit.algorithms import COUNTERS, Counter, made
from garrison.ratelimit.quota import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.ratelimit.quota import Quota


class Judge(Protocol):
    """Decides for keys that have the same quotas.

    Attributes:
        untouched: the state of a key that has used nothing.
    """

    untouched: Any

    def take(self, state: Any, cost: int, now: float) -> tuple[Any, Decision]:
        """The state after a request, and the decision about it; see `Store.acquire`."""
        ...

    def look(self, state: Any, now: float) -> Decision:
        """What a request would be told; see `Store.standing`."""
        ...

    def refunded(self, state: Any, cost: int, now: float) -> Any:
        """The state after units were given back; see `Store.refund`."""
        ...

    def recovered(self, state: Any, now: float) -> bool:
        """Whether the state says no more than `untouched`."""
        ...

    def expendable(self, state: Any, now: float) -> bool:
        """Whether little is lost with the state: at most one unit of each quota, and no quota's only one."""
        ...


def judge(quotas: tuple[Quota, ...]) -> Judge:
    """The judge for some quotas, of which there is at least one."""
    counters = [COUNTERS[quota.algorithm](quota) for quota in quotas]
    return Several(quotas, counters) if len(counters) > 1 else Single(quotas, counters[0])


class Single:
    """One quota, as nearly every key has; its state is that of the quota.

    Args:
        quotas: the quota.
        counter: counts for it.
    """

    __slots__ = ("_counter", "_quotas", "_take", "expendable", "recovered", "refunded", "untouched")

    def __init__(self, quotas: tuple[Quota, ...], counter: Counter[Any]) -> None:
        self._quotas = quotas
        self._counter = counter
        self._take = counter.take
        self.untouched = counter.untouched
        self.refunded = counter.refunded
        self.recovered = counter.recovered
        self.expendable = counter.expendable

    def take(self, state: Any, cost: int, now: float) -> tuple[Any, Decision]:
        """See `Judge`."""
        after, wait, standing = self._take(state, cost, now)
        if wait:
            return after, Decision(False, self._quotas, wait, (standing,))  # noqa: FBT003 - names cost time
        return after, made(Decision, (True, (), 0.0, (standing,)))

    def look(self, state: Any, now: float) -> Decision:
        """See `Judge`."""
        return _told(self._quotas, (self._counter,), (state,), (1, now))


class Several:
    """Several quotas, of which all take or none; the state is a tuple.

    Args:
        quotas: more than one.
        counters: count for them, in their order.
    """

    __slots__ = ("_counters", "_quotas", "untouched")

    def __init__(self, quotas: tuple[Quota, ...], counters: Sequence[Counter[Any]]) -> None:
        self._quotas = quotas
        self._counters = counters
        self.untouched = tuple(counter.untouched for counter in counters)

    def take(self, state: Any, cost: int, now: float) -> tuple[Any, Decision]:
        """See `Judge`."""
        after = []
        standings = []
        for counter, each in self._each(state):
            taken, wait, standing = counter.take(each, cost, now)
            if wait:
                return state, _told(self._quotas, self._counters, state, (cost, now))
            after.append(taken)
            standings.append(standing)
        return tuple(after), Decision(True, (), 0.0, tuple(standings))  # noqa: FBT003 - names cost time

    def look(self, state: Any, now: float) -> Decision:
        """See `Judge`."""
        return _told(self._quotas, self._counters, state, (1, now))

    def refunded(self, state: Any, cost: int, now: float) -> Any:
        """See `Judge`."""
        return tuple([counter.refunded(each, cost, now) for counter, each in self._each(state)])

    def recovered(self, state: Any, now: float) -> bool:
        """See `Judge`."""
        return all(counter.recovered(each, now) for counter, each in self._each(state))

    def expendable(self, state: Any, now: float) -> bool:
        """See `Judge`."""
        return all(counter.expendable(each, now) for counter, each in self._each(state))

    def _each(self, state: Any) -> Iterable[tuple[Counter[Any], Any]]:
        return zip(self._counters, state, strict=True)


def _told(
    quotas: tuple[Quota, ...], counters: Sequence[Counter[Any]], state: Any, asked: tuple[int, float]
) -> Decision:
    """What a request at this cost and moment is told where nothing is taken."""
    cost, now = asked
    waits = [counter.take(each, cost, now)[1] for counter, each in zip(counters, state, strict=True)]
    refused_by = tuple(quota for quota, wait in zip(quotas, waits, strict=True) if wait)
    standings = tuple(counter.standing(each, now) for counter, each in zip(counters, state, strict=True))
    return Decision(
        allowed=not refused_by, refused_by=refused_by, retry_after=max(waits), standings=standings
    )
