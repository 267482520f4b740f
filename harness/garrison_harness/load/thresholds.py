"""Thresholds: `p95<200ms`, `errors<0.1%`, `rate>50`, and whether a run keeps them."""

from __future__ import annotations

import difflib
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from garrison_harness.load.histogram import MICROSECONDS
from garrison_harness.load.units import NUMBER, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.load.tally import Tally

Dimension = Literal["time", "share", "rate", "count"]

DEFAULT = "errors==0%"
"""What a run without any threshold must keep."""

EXAMPLES = "p95<200ms, p(99.9)<1s, avg<50ms, errors<0.1%, limited<5%, rate>50 or requests>=100"

_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
_DIMENSIONS: Mapping[str, Dimension] = {
    "avg": "time",
    "min": "time",
    "med": "time",
    "max": "time",
    "errors": "share",
    "limited": "share",
    "rate": "rate",
    "requests": "count",
}
_NEAR: Mapping[str, str] = {"=": "==", "=<": "<=", "=>": ">=", "!=": "==", "<>": "=="}
_ALIASES: Mapping[str, str] = {
    "mean": "avg", "average": "avg", "median": "med", "error": "errors", "failures": "errors",
    "rps": "rate", "count": "requests", "429": "limited",
}  # fmt: skip
_EXPRESSION = re.compile(r"\s*([^<>=!\s]+)\s*([<>=!]+)\s*([^<>=!]*?)\s*")
_PERCENTILE = re.compile(rf"p(?:({NUMBER})|\(({NUMBER})\))")
_PLAIN = re.compile(NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One bound on one measure of a run.

    Attributes:
        expression: As it was written.
        metric: `avg`, `min`, `med`, `max`, `p`, `errors`, `limited`, `rate` or `requests`.
        percent: Which percentile, for the metric `p`.
        dimension: What the bound measures.
        comparison: One of `<`, `<=`, `>`, `>=`, `==`.
        bound: In seconds, as a share (0 to 1), in requests per second, or a count.
    """

    expression: str
    metric: str
    percent: float = 0.0
    dimension: Dimension
    comparison: str
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a run kept a threshold.

    Attributes:
        threshold: The threshold.
        actual: What was measured, in the unit of the bound; None where nothing was.
        passed: True if it holds.
    """

    threshold: Threshold
    actual: float | None
    passed: bool

    def describe(self) -> str:
        """The measured value as people read it."""
        if self.actual is None:
            return "nothing measured"
        match self.threshold.dimension:
            case "time":
                return format_duration(self.actual)
            case "share":
                return format_share(self.actual)
            case "rate":
                return f"{self.actual:,.1f}/s"
            case "count":
                return f"{self.actual:,.0f}"


def format_share(share: float) -> str:
    """A share of 0 to 1 as a percentage."""
    return f"{share * 100:.3g}%"


def parse_threshold(expression: str) -> Threshold:
    """Read a threshold as it is written on the command line.

    Raises:
        ValueError: It cannot be read, or can never hold; the message is one line for its author.
    """
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        raise _fault(expression, f"expected a metric, an operator and a value, such as {EXAMPLES}")
    name, comparison, value = match.groups()
    if comparison not in _OPERATORS:
        hint = f": did you mean {_NEAR[comparison]}?" if comparison in _NEAR else ""
        raise _fault(expression, f"expected one of < <= > >= ==, found {comparison}{hint}")
    metric, percent, dimension = _metric(expression, name)
    bound = _BOUNDS[dimension](expression, value)
    if (bound == 0 and comparison == "<") or (dimension == "share" and bound == 1 and comparison == ">"):
        raise _fault(expression, "no run can keep it")
    return Threshold(
        expression=expression.strip(),
        metric=metric,
        percent=percent,
        dimension=dimension,
        comparison=comparison,
        bound=bound,
    )


def _fault(expression: str, what: str) -> ValueError:
    return ValueError(f"threshold {expression!r}: {what}")


def _metric(expression: str, name: str) -> tuple[str, float, Dimension]:
    lower = name.lower()
    if lower in _DIMENSIONS:
        return lower, 0.0, _DIMENSIONS[lower]
    match = _PERCENTILE.fullmatch(lower)
    if match is not None:
        percent = float(match[1] or match[2])
        if not 0 < percent <= 100:
            raise _fault(expression, f"a percentile is above 0 and up to 100, found {name}")
        return "p", percent, "time"
    close = difflib.get_close_matches(lower, ["p95", "p99", *_DIMENSIONS], n=1)
    nearest = _ALIASES.get(lower) or (close[0] if close else None)
    hint = f": did you mean {nearest}?" if nearest else ""
    raise _fault(expression, f"expected p50 to p100, {', '.join(_DIMENSIONS)}, found {name}{hint}")


def _time(expression: str, value: str) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        found = value or "nothing"
        hint = f": did you mean {value}ms or {value}s?" if _PLAIN.fullmatch(value) else ""
        raise _fault(expression, f"{error}, found {found}{hint}") from None


def _share(expression: str, value: str) -> float:
    number = value.removesuffix("%").rstrip()
    # Without the sign, 1 could be one percent or all of them; nought is nought.
    if not _PLAIN.fullmatch(number) or (number == value and float(number)):
        hint = f": did you mean {value}%?" if _PLAIN.fullmatch(value) else ""
        raise _fault(expression, f"expected a percentage such as 0.1%, found {value or 'nothing'}{hint}")
    share = float(Decimal(number) / 100)
    if share > 1:
        raise _fault(expression, f"expected a percentage up to 100%, found {value}")
    return share


def _rate(expression: str, value: str) -> float:
    number = value.removesuffix("/s").rstrip()
    if not _PLAIN.fullmatch(number):
        raise _fault(expression, f"expected requests per second such as 50, found {value or 'nothing'}")
    return float(number)


def _count(expression: str, value: str) -> float:
    if not value.isascii() or not value.isdigit():
        raise _fault(expression, f"expected a whole number such as 100, found {value or 'nothing'}")
    return float(value)


_BOUNDS: Mapping[Dimension, Callable[[str, str], float]] = {
    "time": _time,
    "share": _share,
    "rate": _rate,
    "count": _count,
}


def judge(threshold: Threshold, tally: Tally, *, duration: float) -> Judgement:
    """Hold what was measured against a threshold.

    Args:
        threshold: The bound to keep.
        tally: What the requests of the run came to.
        duration: How long the run took, in seconds.
    """
    actual = _measure(threshold, tally, duration)
    passed = actual is not None and _OPERATORS[threshold.comparison](actual, threshold.bound)
    return Judgement(threshold=threshold, actual=actual, passed=passed)


def _measure(threshold: Threshold, tally: Tally, duration: float) -> float | None:
    if threshold.dimension == "time":
        return _latency(threshold, tally) if tally.requests else None
    attempts = tally.requests + tally.task_errors
    match threshold.metric:
        case "errors":
            return tally.error_share if attempts else None
        case "limited":
            return tally.limited_share if attempts else None
        case "rate":
            return tally.requests / duration if duration > 0 else None
    return float(tally.requests)


def _latency(threshold: Threshold, tally: Tally) -> float:
    latency = tally.latency
    match threshold.metric:
        case "avg":
            return latency.mean()
        case "min":
            return latency.min / MICROSECONDS
        case "max":
            return latency.max / MICROSECONDS
        case "med":
            return latency.quantile(50)
    return latency.quantile(threshold.percent)
