"""Whether an event loop falls behind, from how long its turns take, and what it still takes on then."""

from __future__ import annotations

from math import inf
from typing import Final

# A turn that takes less than this part of the one before it shows that the loop is catching up.
CATCHING_UP: Final = 0.8

# What a single turn counts for at most, as a part of what makes an overload.
MOST: Final = 0.75


class LoopLag:
    """Sustained lag of an event loop.

    Whatever arrives waits while the loop is busy with a turn, so that the length of its turns is how long
    requests wait before anything sees them. A single long turn is no overload, however long, and neither are
    those behind it that are ever shorter, in which the loop works off what has arrived meanwhile. What counts
    is the time in other long turns less the time in short ones.

    While it is overloaded, each turn takes new work for as long as `bound` and refuses what is behind it: the
    loop always has work, and what is taken has not waited long.

    Args:
        bound: seconds that a turn may take.
        sustained: seconds that long turns are ahead of short ones before anything is refused.
        crowd: how many requests must be there for a turn to count; fewer are slow by themselves.

    Attributes:
        bound: as given.
        overloaded: whether the loop falls behind.
    """

    def __init__(self, bound: float, sustained: float, crowd: int) -> None:
        self.bound = bound
        self.overloaded = False
        self._sustained = sustained
        self._crowd = crowd
        self._ahead = 0.0
        self._longest = 0.0
        self._quota = inf

    def turn(self, seconds: float, requests: int, finished: int) -> None:
        """Take note of a turn of the loop, or of any time in which there was no long one.

        Args:
            seconds: that it took.
            requests: that were under way in it.
            finished: how many of them it finished.
        """
        if seconds >= self.bound and requests >= self._crowd:
            if self.overloaded or seconds >= self._longest * CATCHING_UP:
                # With few finished it was one of them that took so long.
                counts = seconds if finished >= self._crowd else min(seconds, self._sustained * MOST)
                self._ahead = min(self._sustained, self._ahead + counts)
            # Work of earlier turns takes its share of this one: as much new work is taken on as there was
            # finished, in proportion.
            far = seconds > 2 * self.bound
            self._quota = max(1.0, finished * self.bound / seconds) if far else inf
        else:
            self._ahead = max(0.0, self._ahead - seconds)
        self._longest = max(seconds, self._longest - seconds)
        if self._ahead >= self._sustained:
            self.overloaded = True
        elif self._ahead == 0:
            self.overloaded = False
            self._quota = inf

    def admits(self, age: float, taken: int, share: float) -> bool:
        """Whether a turn still takes a request.

        Args:
            age: seconds since the turn began.
            taken: how many requests it has taken already.
            share: what part of the room there is for requests of this priority.
        """
        return not self.overloaded or (age < self.bound * share and taken < max(1.0, self._quota * share))

    def forget(self) -> None:
        """There is no load at all."""
        self._ahead = 0.0
        self.overloaded = False
        self._quota = inf
