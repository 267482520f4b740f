"""A latency in the figures that every report has of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.histogram import MICROSECONDS

if TYPE_CHECKING:
    from garrison_harness.load.histogram import Histogram

PERCENTILES: Final = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p99_9": 99.9}
"""The percentiles of every report."""


def latency_of(histogram: Histogram) -> dict[str, float] | None:
    """Latencies in seconds by name, None where there is none.

    Args:
        histogram: What was recorded.
    """
    if not histogram.total:
        return None
    quantiles = {name: histogram.quantile(percent) for name, percent in PERCENTILES.items()}
    return {
        "min": histogram.min / MICROSECONDS,
        "avg": histogram.mean(),
        **quantiles,
        "max": histogram.max / MICROSECONDS,
    }
