"""How sure a figure of several rounds is.

The figure of each variant, and so the difference, is that of all its parts together: percentiles are those of
the merged histograms. How sure it is, the single parts say: the differences of the rounds are held against
that of the whole, and Student's t for as many rounds gives the interval. This is called sectioning (Asmussen
and Glynn, Stochastic Simulation, 2007, section III.5a; Nakayama, Confidence intervals for quantiles using
sectioning, 2014). It asks little: rounds that know nothing of one another, and not that latencies follow any
law. Resampling the rounds (a bootstrap) asks for the same, and gives intervals too short where there are few.

Two variants that were loaded in turn are paired by round, so that what both met in a round, such as a slow
machine, falls out. Where they were not, Welch's test takes the place of the paired one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.compare.student import quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
"""In so many of a hundred comparisons the interval holds the true difference."""


class IntervalRecord(TypedDict):
    """A value and the interval that holds the true one in 95 of 100 comparisons."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value, and where the true one is likely to be.

    Attributes:
        value: What was measured.
        low: Where the interval begins.
        high: Where it ends.
    """

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, margin: float) -> Interval:
        """The interval that reaches as far below the value as above."""
        return cls(value=value, low=value - margin, high=value + margin)

    def to_record(self) -> IntervalRecord:
        """The interval in JSON's types."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Figures:
    """A figure of one variant.

    Attributes:
        whole: That of all its parts together.
        parts: That of each.
    """

    whole: float
    parts: tuple[float, ...]

    @property
    def variance(self) -> float:
        """Of the figure of the whole, as its parts tell it."""
        return _variance([part - self.whole for part in self.parts])


def paired_margins(baseline: Figures, target: Figures) -> tuple[float, float]:
    """Half the interval of the change, and half that of its share; that is no number where 0 divides."""
    pairs = list(zip(baseline.parts, target.parts, strict=True))
    whole = target.whole - baseline.whole
    reach = _reach(len(pairs) - 1)
    change = reach * math.sqrt(_variance([other - one - whole for one, other in pairs]))
    if not baseline.whole:
        return change, math.nan
    # Of a ratio of two figures that vary together (Cochran, Sampling Techniques, 1977, section 6.4).
    ratio = target.whole / baseline.whole
    spread = math.sqrt(_variance([other - ratio * one for one, other in pairs]))
    return change, reach * spread / baseline.whole


def welch_margins(baseline: Figures, target: Figures) -> tuple[float, float]:
    """The same where no round belongs to another one (Welch, Biometrika 34, 1947)."""
    variances = (baseline.variance, target.variance)
    counts = (len(baseline.parts), len(target.parts))
    change = _welch(variances, counts)
    if not baseline.whole:
        return change, math.nan
    # Of a ratio, to the first order (the delta method).
    ratio = target.whole / baseline.whole
    first = (variances[0] * (ratio / baseline.whole) ** 2, variances[1] / baseline.whole**2)
    return change, _welch(first, counts)


def _welch(variances: tuple[float, float], counts: tuple[int, int]) -> float:
    total = sum(variances)
    if not total:
        return 0.0
    freedom = total**2 / sum(
        variance**2 / (count - 1) for variance, count in zip(variances, counts, strict=True)
    )
    return _reach(freedom) * math.sqrt(total)


@lru_cache(maxsize=64)
def _reach(freedom: float) -> float:
    return quantile((1 + CONFIDENCE) / 2, freedom)


def _variance(deviations: Sequence[float]) -> float:
    """Of the figure of the whole, from how far the parts are off it."""
    count = len(deviations)
    return math.fsum(deviation**2 for deviation in deviations) / (count - 1) / count
