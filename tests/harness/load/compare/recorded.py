"""Rounds of runs that were not made, with latencies drawn by lot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.histogram import Histogram

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable


def part(
    latencies: Iterable[float] = (), *, duration: float = 1.0, errors: int = 0, cpu: float | None = None
) -> Slice:
    """A part of a run with these latencies, in seconds."""
    histogram = Histogram()
    for latency in latencies:
        histogram.record(latency)
    count = histogram.total
    return Slice(duration=duration, requests=count, attempts=count, errors=errors, cpu=cpu, latency=histogram)


def rounds(
    lot: random.Random, *, count: int, requests: int, machine: list[float] | None = None, slower: float = 0.0
) -> list[Slice]:
    """Rounds of requests of some 10 ms each.

    Args:
        lot: Where luck comes from.
        count: Rounds.
        requests: Requests in each.
        machine: How many times as long everything takes in each round; as long as it does where not given.
        slower: Seconds that each request takes longer, whatever the machine does.
    """
    speeds = machine or [1.0] * count
    return [part(lot.expovariate(100) * speed + 0.002 + slower for _ in range(requests)) for speed in speeds]
