"""Queues on a simulated clock: what an adaptive limit lets in, and what a busy loop takes on."""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garrison.shedding.adaptive import AdaptiveLimit
from garrison.shedding.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from garrison.shedding.lag import LoopLag


@dataclass(frozen=True)
class Work:
    """What one request needs.

    Attributes:
        seconds: that it takes.
        pooled: whether it needs one of the servers.
        route: its template.
    """

    seconds: float
    pooled: bool = False
    route: str | None = "/"


@dataclass
class Outcome:
    """What became of all requests.

    Attributes:
        served: when each began, and how long it took.
        shed: when each was refused.
    """

    served: list[tuple[float, float]] = field(default_factory=list)
    shed: list[float] = field(default_factory=list)

    def latencies(self, start: float = 0.0, end: float = float("inf")) -> list[float]:
        """Of those that began in a span, the least first."""
        return sorted(latency for began, latency in self.served if start <= began < end)

    def p99(self, start: float = 0.0, end: float = float("inf")) -> float:
        """The 99th percentile of them."""
        latencies = self.latencies(start, end)
        return latencies[int(len(latencies) * 0.99)]

    def goodput(self, start: float, end: float) -> float:
        """Replies a second that were there within 300 ms."""
        return sum(latency <= 0.3 for latency in self.latencies(start, end)) / (end - start)

    def refused(self, start: float = 0.0, end: float = float("inf")) -> int:
        """How many were refused in a span."""
        return sum(start <= moment < end for moment in self.shed)


def arrivals(phases: Iterable[tuple[float, float]], chance: random.Random) -> list[float]:
    """Random moments, for so many seconds at so many a second, one phase after another."""
    found, end = [], 0.0
    for seconds, rate in phases:
        moment, end = end, end + seconds
        while (moment := moment + chance.expovariate(rate)) < end:
            found.append(moment)
    return found


def pooled(
    phases: Iterable[tuple[float, float]],
    work: Callable[[random.Random, float], Work],
    *,
    servers: int = 20,
    seed: int = 1,
    limit: AdaptiveLimit | None = None,
) -> Outcome:
    """Serve requests with a pool behind one queue, which none but those who wait know of."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    limit = limit or AdaptiveLimit(0.05)
    events: list[tuple[float, int, tuple[float, Work] | None]] = [
        (moment, number, None) for number, moment in enumerate(arrivals(phases, chance))
    ]
    number, free, in_flight = len(events), servers, 0
    queue: deque[tuple[float, Work]] = deque()
    outcome = Outcome()
    while events:
        now, _, done = heapq.heappop(events)
        if done is None:
            if limit.refuses(in_flight, now):
                outcome.shed.append(now)
                continue
            in_flight += 1
            queue.append((now, work(chance, now)))
        else:
            began, finished = done
            limit.sample(finished.route, began, now, in_flight)
            outcome.served.append((began, now - began))
            in_flight -= 1
            free += finished.pooled
        while queue and (free or not queue[0][1].pooled):
            began, wanted = queue.popleft()
            free -= wanted.pooled
            number += 1
            heapq.heappush(events, (now + wanted.seconds, number, (began, wanted)))
        if queue and not queue[-1][1].pooled:
            # It does not need the pool that the others wait for.
            began, wanted = queue.pop()
            number += 1
            heapq.heappush(events, (now + wanted.seconds, number, (began, wanted)))
    return outcome


class Loop:
    """An event loop with a clock of its own; each turn reads sockets and runs timers and what is ready."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = 0
        self._ready: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []

    def clock(self) -> float:
        """Seconds."""
        return self.now

    def call_soon(self, callback: Callable[[], None], /) -> None:
        """Have it called in the next turn."""
        self._ready.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None], /) -> None:
        """Have it called after so many seconds."""
        heapq.heappush(self._timers, (self.now + delay, len(self._timers) + self.turns, callback))

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do, ever."""
        return not self._ready and not self._timers

    def run(self, requests: Iterable[tuple[float, Callable[[], None]]], until: float) -> None:
        """Run turns; what arrives is read in one, which costs a little, and runs in the next."""
        waiting = deque(requests)
        while self.now < until:
            self.turns += 1
            if not self._ready:
                moments = [waiting[0][0]] if waiting else []
                moments += [self._timers[0][0]] if self._timers else []
                self.now = max(self.now, min([*moments, until]))
            while waiting and waiting[0][0] <= self.now:
                self.now += 0.00005
                self._ready.append(waiting.popleft()[1])
            while self._timers and self._timers[0][0] <= self.now:
                self._ready.append(heapq.heappop(self._timers)[2])
            for _ in range(len(self._ready)):
                self._ready.popleft()()


def computed(
    phases: Iterable[tuple[float, float]],
    seconds: Callable[[random.Random], float],
    lag: LoopLag,
    *,
    seed: int = 1,
    loop: Loop | None = None,
) -> Outcome:
    """Serve requests that compute without ever waiting, one after another, in an event loop."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    busy = loop or Loop()
    pulse = Pulse(lag, busy.clock)
    outcome = Outcome()

    def request(arrived: float, cost: float) -> Callable[[], None]:
        def run() -> None:
            if pulse.loop is not busy:
                pulse.start(busy)
            pulse.begun += 1
            if lag.overloaded and not pulse.admits(1.0):
                busy.now += 0.0001
                outcome.shed.append(arrived)
            else:
                busy.now += cost
                outcome.served.append((arrived, busy.now - arrived))
            pulse.ended += 1

        return run

    moments = arrivals(phases, chance)
    busy.run([(moment, request(moment, seconds(chance))) for moment in moments], moments[-1] + 10)
    return outcome
