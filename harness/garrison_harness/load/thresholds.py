"""Thresholds as they are written: `p95<200ms`, `errors{tag:write}<0.1% abort after 10s`."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.bounds import BYTES, read_bound
from garrison_harness.load.metrics import Dimension, Metric, metric_named
from garrison_harness.load.selector import Selector, read_selector
from garrison_harness.load.units import format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEFAULT: Final = "errors==0%"
"""What a run without any threshold must keep."""

OPEN_DEFAULT: Final = "dropped<=0.1%"
"""What a run of the open model must keep, unless it has a threshold of its own on that: what never started
is in no latency."""

EXAMPLES: Final = "p95<200ms, p(99.9)<1s, avg<50ms, errors<0.1%, limited<5%, rate>50 or requests>=100"
"""For the help and for messages."""

OPERATORS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
"""How the measured value is compared with the bound."""

_NEAR: Final[Mapping[str, str]] = {"=": "==", "=<": "<=", "=>": ">=", "!=": "==", "<>": "=="}
_METRIC: Final = re.compile(r"\s*([^{<>=!\s]+)\s*")
_COMPARISON: Final = re.compile(r"\s*([<>=!]+)\s*([^<>=!]*?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One bound on one measure of a run.

    Attributes:
        expression: As it was written.
        metric: What is measured.
        selector: The requests that are meant; None for all.
        dimension: What the bound measures.
        comparison: One of `<`, `<=`, `>`, `>=`, `==`.
        bound: In seconds, as a share (0 to 1), in requests per second, a count, or bytes.
        abort_after: The run is ended where the threshold is missed once this many seconds have passed;
            None where it goes on.
    """

    expression: str
    metric: Metric
    selector: Selector | None = None
    dimension: Dimension
    comparison: str
    bound: float
    abort_after: float | None = None

    @property
    def upper(self) -> bool:
        """Whether it is missed by too much, and never by too little."""
        return self.comparison in {"<", "<="} or (self.comparison == "==" and not self.bound)

    def keeps(self, actual: float) -> bool:
        """Whether a value is within the bound."""
        return OPERATORS[self.comparison](actual, self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Whether a run kept a threshold.

    Attributes:
        threshold: The threshold.
        actual: What was measured, in the unit of the bound; None where nothing was.
        passed: True if it holds.
        undecided: A difference may or may not keep the bound, as far as was measured.
        note: Why nothing was measured, one line; empty otherwise.
    """

    threshold: Threshold
    actual: float | None
    passed: bool
    undecided: bool = False
    note: str = ""

    def describe(self) -> str:
        """The measured value as people read it."""
        if self.actual is None:
            return self.note or "nothing measured"
        sign, size = ("-", -self.actual) if self.actual < 0 else ("", self.actual)
        match self.threshold.dimension:
            case "time":
                return sign + format_duration(size)
            case "share":
                return sign + format_share(size)
            case "rate":
                return f"{self.actual:,.1f}/s"
            case "count":
                return f"{self.actual:,.0f}"
            case "size":
                return f"{self.actual / BYTES['MB']:,.1f} MB"


def format_share(share: float) -> str:
    """A share of 0 to 1 as a percentage."""
    return f"{share * 100:.3g}%"


def parse_threshold(expression: str) -> Threshold:
    """Read a threshold as it is written on the command line.

    The form is METRIC{SELECTOR}OPERATOR VALUE, where the selector may be missing, and then perhaps `abort` or
    `abort after DURATION`.

    Raises:
        ValueError: It cannot be read, or can never hold; the message is one line for its author.
    """
    try:
        return _parse(expression)
    except ValueError as error:
        raise ValueError(f"threshold {expression!r}: {error}") from error


def _parse(expression: str) -> Threshold:
    head = _METRIC.match(expression)
    if head is None:
        raise ValueError(_expected())
    metric, rest = metric_named(head[1]), expression[head.end() :]
    selector = None
    if rest.startswith("{"):
        selector, rest = read_selector(rest)
        _check_selector(metric, selector)
    match = _COMPARISON.fullmatch(rest)
    if match is None:
        raise ValueError(
            f"expected an operator and a value behind the selector, found {rest.strip() or 'nothing'}"
            if selector
            else _expected()
        )
    comparison, value = match.groups()
    if comparison not in OPERATORS:
        hint = f": did you mean {_NEAR[comparison]}?" if comparison in _NEAR else ""
        raise ValueError(f"expected one of < <= > >= ==, found {comparison}{hint}")
    value, abort_after = _split_abort(value)
    dimension, bound = read_bound(metric, value)
    made = Threshold(
        expression=expression.strip(),
        metric=metric,
        selector=selector,
        dimension=dimension,
        comparison=comparison,
        bound=bound,
        abort_after=abort_after,
    )
    _check_possible(made)
    return made


def _expected() -> str:
    return f"expected a metric, an operator and a value, such as {EXAMPLES}"


def _split_abort(value: str) -> tuple[str, float | None]:
    words = value.split()
    at = next((place for place, word in enumerate(words) if place and word.lower() == "abort"), None)
    if at is None:
        return value, None
    bound, said = " ".join(words[:at]), words[at + 1 :]
    if not said:
        return bound, 0.0
    after = said[0].lower() == "after"
    duration = " ".join(said[after:])
    try:
        if not after:
            raise ValueError("expected nothing, or after and a duration such as 10s")  # noqa: TRY301 - one place words it
        return bound, parse_duration(duration)
    except ValueError as error:
        raise ValueError(f"behind abort: {error}, found {duration or 'nothing'}") from None


def _check_selector(metric: Metric, selector: Selector) -> None:
    if metric.source != "requests":
        raise ValueError(f"{metric.name} is measured for the whole run: leave {{{selector.kind}:...}} out")
    if selector.kind == "status" and metric.name not in {"requests", "rate"}:
        raise ValueError(
            "replies of one status are only counted, in requests{status:...} and rate{status:...};"
            " a tag can tell more"
        )


def _check_possible(threshold: Threshold) -> None:
    bound, comparison, source = threshold.bound, threshold.comparison, threshold.metric.source
    if source == "comparison":
        never = False
    elif threshold.metric.name == "memory_growth":
        never = False  # memory shrinks, too, and more than doubles
    else:
        share = threshold.dimension == "share"
        never = (bound == 0 and comparison == "<") or (share and bound == 1 and comparison == ">")
    if never:
        raise ValueError("no run can keep it")
    if threshold.abort_after is None:
        return
    if source not in {"requests", "arrivals"}:
        raise ValueError(f"{threshold.metric.name} is known at the end only: leave abort out")
    if threshold.dimension == "count" and not threshold.upper:
        raise ValueError(
            "a count grows until the end, so that too few are no reason to abort: leave abort out"
        )
