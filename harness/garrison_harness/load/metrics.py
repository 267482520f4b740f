"""What thresholds can bound, and the units of their bounds."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison_harness.load.units import NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

Dimension = Literal["time", "share", "rate", "count", "size"]
Source = Literal["requests", "arrivals", "target", "comparison"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure of a run.

    Attributes:
        name: As thresholds call it; `p` for every percentile, and what is compared for a difference.
        percent: Which percentile, for `p`.
        dimensions: What a bound can be; the first is meant where a bound of nought has no unit.
        source: Who measures it: the requests, the arrivals of the open model, the watch over the target, or
            the comparison of two variants.
    """

    name: str
    percent: float = 0.0
    dimensions: tuple[Dimension, ...]
    source: Source = "requests"


_OF_REQUESTS: Final[Mapping[str, Dimension]] = {
    "avg": "time",
    "min": "time",
    "med": "time",
    "max": "time",
    "errors": "share",
    "limited": "share",
    "rate": "rate",
    "requests": "count",
}
_OF_ARRIVALS: Final = ("late", "dropped")
_OF_TARGET: Final[Mapping[str, Dimension]] = {
    "lag_p50": "time",
    "lag_p95": "time",
    "lag_p99": "time",
    "lag_max": "time",
    "memory": "size",
    "memory_growth": "share",
}
# As a time or as a share of the other variant; errors are a share to begin with, in points of percent.
_OF_COMPARISON: Final[Mapping[str, tuple[Dimension, ...]]] = {
    "avg": ("time", "share"),
    "cpu": ("time", "share"),
    "p": ("time", "share"),
    "rate": ("share",),
    "errors": ("share",),
}
NAMES: Final = (*_OF_REQUESTS, *_OF_ARRIVALS, *_OF_TARGET)
"""Every metric but the percentiles and the differences."""

_ALIASES: Final[Mapping[str, str]] = {
    "mean": "avg", "average": "avg", "median": "med", "error": "errors", "failures": "errors",
    "rps": "rate", "count": "requests", "429": "limited", "lag": "lag_p99", "missed": "dropped",
}  # fmt: skip
_PERCENTILE: Final = re.compile(rf"p(?:({NUMBER})|\(({NUMBER})\))")
_DIFFERENCE: Final = re.compile(r"diff\((.*)\)")


def metric_named(name: str) -> Metric:
    """The metric of that name, in any case.

    Args:
        name: Such as `p95`, `errors` or `diff(p95)`.

    Raises:
        ValueError: There is none; the message says which there are.
    """
    lower = name.lower()
    if difference := _DIFFERENCE.fullmatch(lower):
        return _difference(difference[1])
    if lower in _OF_REQUESTS:
        return Metric(name=lower, dimensions=(_OF_REQUESTS[lower],))
    if lower in _OF_ARRIVALS:
        return Metric(name=lower, dimensions=("count", "share"), source="arrivals")
    if lower in _OF_TARGET:
        return Metric(name=lower, dimensions=(_OF_TARGET[lower],), source="target")
    percent = _percent(name)
    if percent is None:
        close = difflib.get_close_matches(lower, ["p95", "p99", *NAMES], n=1)
        nearest = _ALIASES.get(lower) or (close[0] if close else None)
        hint = f": did you mean {nearest}?" if nearest else ""
        raise ValueError(f"expected p50 to p100, {', '.join(NAMES)} or diff(p95), found {name}{hint}")
    return Metric(name="p", percent=percent, dimensions=("time",))


def _difference(inner: str) -> Metric:
    percent = _percent(inner)
    base = inner if percent is None else "p"
    if base not in _OF_COMPARISON or inner == "p":
        raise ValueError(f"diff compares avg, a percentile, rate, errors or cpu, found diff({inner})")
    # p(99.9) and p99.9 are the same.
    name = inner if percent is None else f"p{percent:g}"
    return Metric(name=name, dimensions=_OF_COMPARISON[base], source="comparison")


def _percent(name: str) -> float | None:
    match = _PERCENTILE.fullmatch(name.lower())
    if match is None:
        return None
    percent = float(match[1] or match[2])
    if not 0 < percent <= 100:
        raise ValueError(f"a percentile is above 0 and up to 100, found {name}")
    return percent
