"""What a shared store has refused lately, so that a flood of refused requests does not reach it."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.ratelimit.algorithms import FORGIVEN, made
from garrison.ratelimit.quota import Decision, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds; by the time that a shorter wait is told it is nearly over.
WORTHWHILE: Final = 0.005


class Refusal(NamedTuple):
    """A decision that is held.

    Attributes:
        noted: when it came, in seconds.
        until: when it ends.
        cost: units that were refused; 0 where it does not matter how many.
        decision: the decision.
    """

    noted: float
    until: float
    cost: int
    decision: Decision


class Refusals:
    """Refusals of a store, each held until it ends or is to be asked for again.

    Args:
        clock: seconds that never go back.
        bound: how many keys there may be; beyond it the oldest goes.
        longest: seconds after which a store is asked again in any case, because another process may have
            forgiven the key or given units back.
    """

    __slots__ = ("_bound", "_clock", "_held", "_longest")

    def __init__(
        self, clock: Callable[[], float] = monotonic, *, bound: int = 10_000, longest: float = 1.0
    ) -> None:
        self._clock = clock
        self._bound = bound
        self._longest = longest
        # A plain dictionary takes longer and longer to find its oldest key.
        self._held: OrderedDict[str, Refusal] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def note(self, key: str, cost: int, decision: Decision) -> None:
        """Hold a refusal; what is none, or ends at once, is not held.

        Args:
            key: who was refused.
            cost: units that were asked for; 0 if any other number would have been refused for as long.
            decision: of the store.
        """
        if decision.retry_after < WORTHWHILE:
            return
        self._held.pop(key, None)
        if len(self._held) >= self._bound:
            self._held.popitem(last=False)
        now = self._clock()
        until = now + min(decision.retry_after, self._longest)
        self._held[key] = Refusal(now, until, cost, decision)

    def find(self, key: str, cost: int) -> Decision | None:
        """The refusal that is held for a request, with the times that are left of it.

        Another cost is another question: its wait would be another one, and what it takes, if there is room
        for it, prolongs the one that is held. It ends that.

        Args:
            key: who asks.
            cost: units.

        Returns:
            None where the store has to be asked.
        """
        held = self._held.get(key)
        if held is None:
            return None
        noted, until, refused, decision = held
        now = self._clock()
        # Who obeys comes at that moment, and rounding must not make it the one before.
        if now >= until - FORGIVEN or refused not in {0, cost}:
            self._held.pop(key, None)
            return None
        return _later(decision, now - noted)

    def forget(self, key: str) -> None:
        """Have the store asked for this key."""
        self._held.pop(key, None)


def _later(decision: Decision, elapsed: float) -> Decision:
    """A refusal as it is told some seconds later, if nothing was taken and nothing given back since.

    What remains is said as it was: there may be more, and its time is 0 then.
    """
    allowed, refused_by, retry_after, standings = decision
    later = [
        made(Standing, (quota, remaining, max(more - elapsed, 0.0), max(reset - elapsed, 0.0)))
        for quota, remaining, more, reset in standings
    ]
    return made(Decision, (allowed, refused_by, retry_after - elapsed, tuple(later)))
