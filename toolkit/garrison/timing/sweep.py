"""One look a second at all that waits, in place of a timer for each request."""

from __future__ import annotations

import asyncio
from contextvars import Context
from threading import get_ident
from time import monotonic
from typing import Final, Protocol

# Seconds between two looks: a tenth of the shortest time that somebody waits, within these bounds.
OFTEN: Final = 0.05
SELDOM: Final = 1.0
PART: Final = 0.1

# Seconds. A loop that looks so much too late stood still, and so did all who are looked at: a process that
# was stopped, or a handler that kept the loop for itself.
FROZEN: Final = 1.0


class Watched(Protocol):
    """Something that may wait for too long."""

    def look(self, now: float) -> None:
        """See whether it does, and do what is to be done about it.

        Args:
            now: seconds on the clock of the sweep.
        """


class Sweep:
    """What is looked at in one event loop; there is a timer only while there is something.

    Args:
        loop: that the timer runs in.
        interval: seconds between two looks.

    Attributes:
        watched: what is looked at.
        loop: that the timer runs in.
        overdue: how many handlers go on after their deadline.
    """

    __slots__ = ("_due", "_interval", "_lost", "_timer", "loop", "overdue", "watched")

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self.loop = loop
        self.overdue = 0
        self._interval = interval
        self.watched: set[Watched] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._lost = 0.0

    def now(self) -> float:
        """Seconds that the loop has been running; what it stood still is no time of anybody."""
        return monotonic() - self._lost

    def add(self, watched: Watched) -> None:
        """Look at something from now on, until it is discarded."""
        self.watched.add(watched)
        if self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        self._due = monotonic() + self._interval
        # Not in the context of whoever came first: what is done for others would be done in its name.
        self._timer = self.loop.call_later(self._interval, self._look, context=Context())

    def _look(self) -> None:
        late = monotonic() - self._due
        if late > FROZEN:
            self._lost += late
        now = self.now()
        self._timer = None
        for watched in tuple(self.watched):
            watched.look(now)
        if self.watched:
            self._set_timer()


class Sweeps:
    """The sweep of each event loop that an app runs in; mostly there is one.

    Args:
        shortest: seconds that somebody waits at least before anything is done about it.
    """

    __slots__ = ("_all", "_interval", "_last")

    def __init__(self, shortest: float) -> None:
        self._interval = min(SELDOM, max(OFTEN, shortest * PART))
        self._all: tuple[Sweep, ...] = ()
        self._last: tuple[int, Sweep] | None = None

    def here(self) -> Sweep:
        """The sweep of the running loop."""
        # A thread runs one loop at a time, and to ask for the thread takes a fraction of the time.
        thread = get_ident()
        last = self._last
        if last is not None and last[0] == thread and not last[1].loop.is_closed():
            return last[1]
        loop = asyncio.get_running_loop()
        found = next((sweep for sweep in self._all if sweep.loop is loop), None)
        if found is None:
            found = Sweep(loop, self._interval)
            self._all = (*(sweep for sweep in self._all if not sweep.loop.is_closed()), found)
        self._last = thread, found
        return found
