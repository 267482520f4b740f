"""Deadlines of many connections with one timer: all have the same time, so that the first begun is first."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle
    from collections.abc import Callable

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Who has to be done in a fixed time.

    Args:
        loop: whose clock counts.
        seconds: that everybody has.
        expire: called with each one whose time is over; he is forgotten by then.
    """

    def __init__(self, loop: AbstractEventLoop, seconds: float, expire: Callable[[T], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._expire = expire
        # In the order in which they are due.
        self._due: dict[T, float] = {}
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def begin(self, one: T) -> None:
        """Start the time of one; who has begun already has no new time."""
        if one in self._due:
            return
        due = self._loop.time() + self._seconds
        self._due[one] = due
        if self._timer is None:
            self._arm(due)

    def end(self, one: T) -> None:
        """Forget one, who is done or gone; whoever has not begun is none."""
        self._due.pop(one, None)

    def _arm(self, due: float) -> None:
        # The timer is for all of them, and must not hold on to what belongs to the request that makes it.
        self._timer = self._loop.call_at(due, self._look, context=Context())

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = []
        for one, due in self._due.items():
            if due > now:
                self._arm(due)
                break
            late.append(one)
        for one in late:
            # What happens to one may end the time of another.
            if self._due.pop(one, None) is not None:
                self._expire(one)
