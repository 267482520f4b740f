"""What is compared: each figure that a part of a run has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from garrison_harness.load.compare.slices import Slice

Unit = Literal["seconds", "share", "per second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of a part of a run.

    Attributes:
        name: `rate`, `avg`, `errors`, `cpu`, or a percentile such as `p95` or `p99.9`.
        unit: Of the figure; `cpu` is seconds of the target's CPU time for each request.
        fewest: Requests that a part must hold for the figure to mean anything.
        read: The figure of a part that holds at least as many; None where it has none.
    """

    name: str
    unit: Unit
    fewest: int
    read: Callable[[Slice], float | None]


def percentile(percent: float) -> Measure:
    """A percentile of the latencies.

    A part must hold so many requests that one of them is expected above the percentile: the 99th of 50
    latencies is their greatest, whatever it is.

    Args:
        percent: Above 0 and up to 100.
    """
    above = 100 - percent
    fewest = max(2, round(100 / above)) if above else 2
    return Measure(
        name=f"p{percent:g}", unit="seconds", fewest=fewest, read=partial(_quantile, percent=percent)
    )


def named(name: str) -> Measure:
    """The measure of a name.

    Args:
        name: `rate`, `avg`, `med`, `errors`, `cpu`, or a percentile such as `p95` or `p99.9`.

    Raises:
        ValueError: It names none that can be compared.
    """
    if name in _NAMED:
        return _NAMED[name]
    match = _PERCENTILE.fullmatch(name)
    if match is None or not 0 < float(match[1]) <= 100:
        raise ValueError(f"expected p50 to p100, {', '.join(_NAMED)}, found {name}")
    return percentile(float(match[1]))


def _rate(part: Slice) -> float | None:
    return part.requests / part.duration if part.duration > 0 else None


def _mean(part: Slice) -> float | None:
    return part.latency.mean()


def _quantile(part: Slice, percent: float) -> float | None:
    return part.latency.quantile(percent)


def _errors(part: Slice) -> float | None:
    return part.errors / part.attempts if part.attempts else None


def _cpu(part: Slice) -> float | None:
    return None if part.cpu is None else part.cpu / part.requests


RATE: Final = Measure(name="rate", unit="per second", fewest=0, read=_rate)
MEAN: Final = Measure(name="avg", unit="seconds", fewest=1, read=_mean)
ERRORS: Final = Measure(name="errors", unit="share", fewest=0, read=_errors)
CPU: Final = Measure(name="cpu", unit="seconds", fewest=1, read=_cpu)

_NAMED: Final = {"rate": RATE, "avg": MEAN, "med": percentile(50), "errors": ERRORS, "cpu": CPU}
_PERCENTILE: Final = re.compile(r"p([0-9]+(?:\.[0-9]+)?)")

MEASURES: Final = (RATE, percentile(50), percentile(95), percentile(99), ERRORS, CPU)
"""What every comparison states."""
