"""What was seen lately, so that each of it is told once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Sightings:
    """A bounded memory that is emptied from time to time.

    Args:
        bound: how many things are told in one period; strangers choose them, so there is no end to them.
        period: seconds after which everything may be told again.
        clock: seconds that never go back.
    """

    __slots__ = ("_bound", "_clock", "_period", "_seen", "_since")

    def __init__(self, *, bound: int, period: float, clock: Callable[[], float]) -> None:
        self._bound = bound
        self._period = period
        self._clock = clock
        self._seen: set[Hashable] = set()
        self._since = clock()

    def new(self, what: Hashable) -> bool:
        """Whether this was not seen in the period, and there is room to tell of it."""
        self._forget()
        if what in self._seen or len(self._seen) >= self._bound:
            return False
        self._seen.add(what)
        return True

    def knows(self, what: Hashable) -> bool:
        """Whether this was seen in the period."""
        self._forget()
        return what in self._seen

    @property
    def left(self) -> int:
        """How many new things can still be told of in the period."""
        self._forget()
        return self._bound - len(self._seen)

    def _forget(self) -> None:
        now = self._clock()
        if now - self._since >= self._period:
            self._seen.clear()
            self._since = now
