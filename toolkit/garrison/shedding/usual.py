"""How long requests of each route usually take, which is what latency is compared with."""

from __future__ import annotations

from collections import deque
from math import inf, sqrt
from typing import Final

# So many latencies, one each so many seconds: what has been usual for half a minute.
SAMPLES: Final = 63
APART: Final = 0.5

# What is above the median of so few by 2.6 standard errors (a rank of n / 2 + 1.3 * sqrt(n)), because chance
# may put the median itself too low; two thirds of a full memory are below it.
ERRORS: Final = 1.3

# The first are taken faster, but still over a few of such latencies. A route is not judged by fewer.
PART: Final = 16
ENOUGH: Final = 8

# The first replies of a route are its fastest, because the slow ones are not there yet. What takes so much
# longer than usual, and hardly had the time to be seen before, is one of those, and not late because of a
# queue: there, latency passes through everything in between.
LEAP: Final = 2
SEEN: Final = 1.5

# Routes beyond so many share one memory, since without templates there may be as many as there are paths.
MOST_ROUTES: Final = 256


class _Route:
    """The recent past of one route."""

    __slots__ = ("first", "latencies", "learned", "usual")

    def __init__(self, now: float) -> None:
        self.latencies: deque[float] = deque(maxlen=SAMPLES)
        self.first = now
        self.learned = -inf
        self.usual = 0.0


class Usual:
    """The usual latency of each route: not the least and not the mean, because slow calls are normal too."""

    def __init__(self) -> None:
        self._routes: dict[str | None, _Route] = {}

    def of(self, route: str | None) -> float | None:
        """Seconds; None of a route about which too little is known.

        Args:
            route: its template; None for whatever has none.
        """
        known = self._routes.get(route) or self._routes.get(None)
        if known is None or len(known.latencies) < ENOUGH:
            return None
        return known.usual

    def starts_over(self, route: str | None, latency: float, now: float, delay: float) -> bool:
        """Whether a reply shows that only the fast ones of its route were seen; these are forgotten then.

        Args:
            route: its template; None for whatever has none.
            latency: in seconds.
            now: on a clock that never goes back.
            delay: seconds by which replies may be later than usual.
        """
        known = self._routes.get(route) or self._routes.get(None)
        if known is None or now - known.first > SEEN * latency or latency < LEAP * (known.usual + delay):
            return False
        known.latencies.clear()
        return True

    def learn(self, route: str | None, latency: float, now: float) -> None:
        """Take note of a request that was answered while all was well.

        Args:
            route: its template; None for whatever has none.
            latency: in seconds.
            now: on the same clock.
        """
        known = self._routes.get(route)
        if known is None:
            key = route if len(self._routes) < MOST_ROUTES else None
            known = self._routes.setdefault(key, _Route(now))
        # Not by this latency: the fast ones would have their turn before the slow ones.
        apart = APART if len(known.latencies) == SAMPLES else min(APART, known.usual / PART)
        if now - known.learned < apart:
            return
        known.learned = now
        known.latencies.append(latency)
        count = len(known.latencies)
        rank = int(count / 2 + ERRORS * sqrt(count))
        known.usual = sorted(known.latencies)[min(rank, count - 1)]

    def forget(self) -> None:
        """What was usual is not usual any more."""
        self._routes.clear()
