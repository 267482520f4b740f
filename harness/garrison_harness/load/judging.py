"""Holds what a run came to against its thresholds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from garrison_harness.load.account import Account
from garrison_harness.load.histogram import MICROSECONDS
from garrison_harness.load.selector import NothingSelectedError
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.metrics import Metric
    from garrison_harness.load.thresholds import Threshold

_UNMEASURED = {
    "arrivals": "not measured: no arrival was due, as there are some with --rate only",
    "target": "not measured: the target was not watched, or not for long enough, or not started here",
}


class Differences(Protocol):
    """What two variants differ by."""

    def judge(
        self, measure: str, keeps: Callable[[float], bool], *, relative: bool
    ) -> tuple[float | None, bool | None]:
        """Hold a difference against a bound.

        Args:
            measure: Such as `p95`, `avg` or `rate`.
            keeps: Whether a value is within the bound.
            relative: The bound is a share of the other variant's value.

        Returns:
            The difference, None where there is none, and whether it is within; None where that is not told.
        """

    def unjudged(self, measure: str) -> str:
        """Why there is no difference to tell, one line; empty where there is one.

        Args:
            measure: Such as `p95`, `avg` or `rate`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What thresholds are held against.

    Attributes:
        account: What the load process saw.
        measures: What was measured of the target, by the name of the metric, in seconds, shares or bytes.
        differences: What it differs by from another variant; None where nothing was compared.
        whole: All requests together.
    """

    account: Account
    measures: Mapping[str, float] = field(default_factory=dict)
    differences: Differences | None = None
    whole: Tally = field(init=False)

    def __post_init__(self) -> None:
        """Add the names up once, for all thresholds."""
        object.__setattr__(self, "whole", self.account.tally)


def judge(threshold: Threshold, evidence: Evidence) -> Judgement:
    """Hold what was measured against a threshold.

    Args:
        threshold: The bound to keep.
        evidence: What was measured.
    """
    if threshold.metric.source == "comparison":
        return _compared(threshold, evidence.differences)
    note = ""
    try:
        actual = _measure(threshold, evidence)
    except NothingSelectedError as nothing:
        actual, note = None, str(nothing)
    if actual is None and not note:
        note = _UNMEASURED.get(threshold.metric.source, "")
    passed = actual is not None and threshold.keeps(actual)
    return Judgement(threshold=threshold, actual=actual, passed=passed, note=note)


def _compared(threshold: Threshold, differences: Differences | None) -> Judgement:
    if differences is None:
        note = "not measured: nothing was compared"
        return Judgement(threshold=threshold, actual=None, passed=False, note=note)
    # The share of errors is a share to begin with: its difference is in points.
    relative = threshold.dimension == "share" and threshold.metric.name != "errors"
    actual, kept = differences.judge(threshold.metric.name, threshold.keeps, relative=relative)
    note = f"not judged: {differences.unjudged(threshold.metric.name)}" if actual is None else ""
    return Judgement(threshold=threshold, actual=actual, passed=bool(kept), undecided=kept is None, note=note)


def _measure(threshold: Threshold, evidence: Evidence) -> float | None:
    metric, account = threshold.metric, evidence.account
    match metric.source:
        case "arrivals":
            count = account.arrivals.late if metric.name == "late" else account.arrivals.dropped
            if not account.arrivals.due:
                return None
            return count / account.arrivals.due if threshold.dimension == "share" else float(count)
        case "target":
            return evidence.measures.get(metric.name)
    selector = threshold.selector
    if selector is not None and selector.kind == "status":
        if not evidence.whole.requests:
            return None
        return _number(metric, selector.count(evidence.whole), account.duration)
    tally = evidence.whole if selector is None else selector.tally(account)
    if threshold.dimension == "time":
        return _latency(metric, tally) if tally.requests else None
    attempts = tally.requests + tally.task_errors
    match metric.name:
        case "errors":
            return tally.error_share if attempts else None
        case "limited":
            return tally.limited_share if attempts else None
    return _number(metric, tally.requests, account.duration)


def _number(metric: Metric, count: int, duration: float) -> float | None:
    if metric.name == "requests":
        return float(count)
    return count / duration if duration > 0 else None


def _latency(metric: Metric, tally: Tally) -> float:
    latency = tally.latency
    match metric.name:
        case "avg":
            return latency.mean()
        case "min":
            return latency.min / MICROSECONDS
        case "max":
            return latency.max / MICROSECONDS
        case "med":
            return latency.quantile(50)
    return latency.quantile(metric.percent)
