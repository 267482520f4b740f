"""From quotas to decisions: all the quotas of a key are decided at once.

What one key has used is one value: the state of its only quota, or that of each of them in one.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, Final, Protocol

from garrison.ratelimit.algorithms import Counter, TokenBucket, made
from garrison.ratelimit.quota import Decision
from garrison.ratelimit.windows import FixedWindow, SlidingWindow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from garrison.ratelimit.quota import Algorithm, Quota

COUNTERS: Final[dict[Algorithm, Callable[[Quota], Counter[float] | Counter[bytes]]]] = {
    "token-bucket": TokenBucket,
    "fixed-window": FixedWindow,
    "sliding-window": SlidingWindow,
}


class Judge(Protocol):
    """Decides for keys that have the same quotas.

    Attributes:
        untouched: the state of a key that has used nothing.
    """

    untouched: Any

    def take(self, state: Any, cost: int, now: float) -> tuple[Any, Decision]:
        """The state after a request, and the decision about it; see `Store.acquire`."""
        ...

    def take_one(self, state: Any, now: float) -> tuple[Any, Decision]:
        """As `take`, at a cost of 1."""
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
    return Several(counters) if len(counters) > 1 else Single(counters[0])


class Single:
    """One quota, as nearly every key has; its state is that of the quota.

    Args:
        counter: counts for it.
    """

    __slots__ = (
        "_counter",
        "_quotas",
        "_take",
        "expendable",
        "recovered",
        "refunded",
        "take_one",
        "untouched",
    )

    def __init__(self, counter: Counter[Any]) -> None:
        self._quotas = (counter.quota,)
        self._counter = counter
        self._take = counter.take
        # No other call in between, which would be a tenth of a decision.
        one = counter.take_one if isinstance(counter, TokenBucket) else self._take_one
        self.take_one: Callable[[Any, float], tuple[Any, Decision]] = one
        self.untouched = counter.untouched
        self.refunded = counter.refunded
        self.recovered = counter.recovered
        self.expendable = counter.expendable

    def take(self, state: Any, cost: int, now: float) -> tuple[Any, Decision]:
        """See `Judge`."""
        after, wait, standing = self._take(state, cost, now)
        if wait:
            return after, made(Decision, (False, self._quotas, wait, (standing,)))
        return after, made(Decision, (True, (), 0.0, (standing,)))

    def _take_one(self, state: Any, now: float) -> tuple[Any, Decision]:
        return self.take(state, 1, now)

    def look(self, state: Any, now: float) -> Decision:
        """See `Judge`."""
        return _told((self._counter,), (state,), 1, now)


class Several:
    """Several quotas, of which all take or none; the state packs that of each.

    Args:
        counters: count for them, in their order.
    """

    __slots__ = ("_counters", "_pack", "_takes", "_unpack", "untouched")

    def __init__(self, counters: Sequence[Counter[Any]]) -> None:
        self._counters = counters
        self._takes = [counter.take for counter in counters]
        packing = Struct("=" + "".join(counter.layout for counter in counters))
        self._pack, self._unpack = packing.pack, packing.unpack
        self.untouched = self._pack(*[counter.untouched for counter in counters])

    def take(self, state: bytes, cost: int, now: float) -> tuple[bytes, Decision]:
        """See `Judge`."""
        after = []
        standings = []
        states = self._unpack(state)
        for take, each in zip(self._takes, states):  # noqa: B905 - as many as were packed, and it takes time
            taken, wait, standing = take(each, cost, now)
            if wait:
                return state, _told(self._counters, states, cost, now)
            after.append(taken)
            standings.append(standing)
        return self._pack(*after), made(Decision, (True, (), 0.0, tuple(standings)))

    def take_one(self, state: bytes, now: float) -> tuple[bytes, Decision]:
        """See `Judge`."""
        return self.take(state, 1, now)

    def look(self, state: bytes, now: float) -> Decision:
        """See `Judge`."""
        return _told(self._counters, self._unpack(state), 1, now)

    def refunded(self, state: bytes, cost: int, now: float) -> bytes:
        """See `Judge`."""
        return self._pack(*[counter.refunded(each, cost, now) for counter, each in self._each(state)])

    def recovered(self, state: bytes, now: float) -> bool:
        """See `Judge`."""
        return all(counter.recovered(each, now) for counter, each in self._each(state))

    def expendable(self, state: bytes, now: float) -> bool:
        """See `Judge`."""
        return all(counter.expendable(each, now) for counter, each in self._each(state))

    def _each(self, state: bytes) -> Iterable[tuple[Counter[Any], Any]]:
        return zip(self._counters, self._unpack(state), strict=True)


def _told(counters: Sequence[Counter[Any]], states: Sequence[Any], cost: int, now: float) -> Decision:
    """What a request at this cost and moment is told where nothing is taken."""
    pairs = list(zip(counters, states, strict=True))
    waits = [counter.take(state, cost, now)[1] for counter, state in pairs]
    refused_by = tuple(counter.quota for counter, wait in zip(counters, waits, strict=True) if wait)
    standings = tuple(counter.standing(state, now) for counter, state in pairs)
    return made(Decision, (not refused_by, refused_by, max(waits), standings))
