"""A limit of requests in flight that follows latency against what is usual."""

from __future__ import annotations

from collections import deque
from math import inf
from statistics import fmean, median
from typing import Final

from garrison.shedding.usual import Usual

# A one-sided cumulative sum (Page 1954). A late reply adds one and a timely one takes away three. If half of
# all are late, more than ever are by chance, the sum gets from nothing to the threshold once in 1.84 ** 24
# (some two million) times; in an overload, where all are, after as many replies as the threshold says.
TIMELY: Final = 3
THRESHOLD: Final = 24

# Fewer in flight can be refused for no latency.
LEAST: Final = 4

# Seconds without a refusal after which there is no limit any more.
QUIET: Final = 1.0

# Seconds for which is remembered what was in flight while all was well.
REMEMBERED: Final = 10.0

# What a round of timely replies adds to the limit, and what a cut leaves of it at least.
GROWTH: Final = 0.05
FASTEST: Final = 1.0
HARDEST: Final = 0.5

# Not a queue: with so much less in flight, replies are still nearly as late.
LESS: Final = 0.8
AS_LATE: Final = 0.9


class AdaptiveLimit:
    """How many requests may be in flight.

    There is no limit until replies are late, each compared with the usual time of its route, one after
    another. How late they are, times how many are finished in a second, is how many wait in a queue that
    nobody sees (Little's law), and the limit is what is in flight less most of these. A first cut leaves what
    has been in flight while all was well: a hiccup refuses nobody.

    After a cut only requests count that came after it, because those before it still wait in the queue. If
    replies are as late with much less in flight, it is no queue: the app has become slower, and that is
    learned as usual.

    Args:
        delay: seconds by which replies may be later than usual.

    Attributes:
        limit: infinite while there is none.
    """

    def __init__(self, delay: float) -> None:
        self.limit = inf
        self._delay = delay
        self._usual = Usual()
        self._score = 0
        self._late: deque[tuple[float, float]] = deque(maxlen=2 * THRESHOLD)
        self._since = -inf
        self._refused = -inf
        self._cuts = 0
        self._growth = GROWTH
        self._before: tuple[int, float] | None = None
        self._peak = self._peak_before = 0
        self._peak_since = 0.0

    def refuses(self, in_flight: float, now: float) -> bool:
        """Whether there is no room for one more.

        Args:
            in_flight: how many there are already; more by the share that others have before this one.
            now: on a clock that never goes back.
        """
        if in_flight < self.limit:
            return False
        if now - self._lifted_from() >= QUIET:
            self._lift()
            return False
        self._refused = now
        return True

    def sample(self, route: str | None, began: float, now: float, in_flight: int) -> None:
        """Take note of a reply.

        Args:
            route: the template of its route; None where it has none.
            began: when its work began, on a clock that never goes back.
            now: on the same clock.
            in_flight: how many requests were there, this one included.
        """
        if self.limit < inf and now - self._lifted_from() >= QUIET:
            self._lift()
        if began < self._since:
            return
        latency = now - began
        usual = self._usual.of(route)
        late = 0.0 if usual is None else latency - usual
        if late > self._delay and self._usual.starts_over(route, latency, now, self._delay):
            usual, late = None, 0.0
        if self.limit == inf or usual is None:
            # Late replies too, or what is usual would sink with each that is left out.
            self._usual.learn(route, latency, now)
        if late > self._delay:
            self._score += 1
            self._late.append((latency, late))
            if self._score >= THRESHOLD:
                self._cut(in_flight, now)
            return
        self._score = max(0, self._score - TIMELY)
        if self._score:
            return
        self._late.clear()
        if self.limit < inf:
            if in_flight >= self.limit * (1 - GROWTH):
                self.limit += self._growth
            return
        self._remember(in_flight, now)

    def _cut(self, in_flight: int, now: float) -> None:
        late = median(excess for _, excess in self._late)
        mean = fmean(latency for latency, _ in self._late)
        before, self._before = self._before, (in_flight, late) if self._cuts else None
        self._score = 0
        self._late.clear()
        if before is not None and in_flight <= before[0] * LESS and late >= before[1] * AS_LATE:
            # Learned anew with as little in flight as now, and then as much is let in as is answered in time.
            self._usual.forget()
            self._growth = FASTEST
            self._since = now
            return
        # Half of the delay is left as a queue, so that those who serve never wait for work.
        kept = max(HARDEST, 1 - max(0.0, late - self._delay / 2) / mean)
        limit = max(LEAST, min(self.limit, in_flight) * kept)
        if not self._cuts:
            limit = max(limit, self._peak, self._peak_before)
        self.limit = limit
        self._growth = GROWTH
        self._cuts += 1
        self._since = now

    def _lifted_from(self) -> float:
        """Since when nothing was refused while there was a limit."""
        return max(self._refused, self._since)

    def _lift(self) -> None:
        self.limit = inf
        # To leave out any longer what began before would be to learn from the fastest only.
        self._since = -inf
        self._cuts = 0
        self._before = None

    def _remember(self, in_flight: int, now: float) -> None:
        if now - self._peak_since > REMEMBERED / 2:
            self._peak_before, self._peak, self._peak_since = self._peak, 0, now
        self._peak = max(self._peak, in_flight)
