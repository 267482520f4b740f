"""The result of a run: verdict, measures, thresholds, and the JSON that machines read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from garrison_harness.load.generator import Outcome
from garrison_harness.load.histogram import MICROSECONDS
from garrison_harness.load.plan import Plan
from garrison_harness.load.thresholds import Judgement, judge
from garrison_harness.target import Target, TargetRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.thresholds import Threshold

SCHEMA_VERSION = 1
"""Grows when a field of the JSON result changes its meaning or goes; new fields may come at any time."""

Verdict = Literal["passed", "failed", "inconclusive"]

EXIT_STATUSES: dict[Verdict, int] = {"passed": 0, "failed": 1, "inconclusive": 4}
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p99_9": 99.9}


class PlanRecord(TypedDict):
    """What was asked for. `model` is always `closed`: a user waits for a reply before it asks again."""

    model: Literal["closed"]
    users: int
    spawn_rate: float
    rate: float | None
    duration: float
    paths: list[str]
    locustfile: str | None
    expected: list[int]


class ThresholdRecord(TypedDict):
    """One threshold; `actual` is in seconds, a share of 0 to 1, requests per second, or a count."""

    expression: str
    actual: float | None
    passed: bool


class ClientRecord(TypedDict):
    """The load process: CPU time per time that passed (1.0 is one core), and its source addresses."""

    cpu: float
    addresses: int


class ErrorRecord(TypedDict):
    """Errors of one kind: how many, and the first few paths that gave one; none for errors in tasks."""

    count: int
    paths: list[str]


class ResultRecord(TypedDict):
    """The JSON result.

    Times are in seconds, shares are 0 to 1. `reason` says why a run failed for another cause than a
    threshold, or is inconclusive. `complete` is false where the run was cut short: the rest then describes
    the part that there was. `errors` counts failed requests and exceptions in tasks, by kind in
    `error_kinds`; `limited` counts replies of 429, which are no errors. `statuses` counts replies by code.
    `latency` is null where no request was sent. `target` is the same object as in the report of an audit.
    """

    schema_version: int
    target: TargetRecord
    started: str
    plan: PlanRecord
    verdict: Verdict
    reason: str | None
    complete: bool
    duration: float
    requests: int
    rate: float
    errors: int
    error_share: float
    error_kinds: dict[str, ErrorRecord]
    limited: int
    limited_share: float
    statuses: dict[str, int]
    latency: dict[str, float] | None
    thresholds: list[ThresholdRecord]
    client: ClientRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run that is over, and its judgement.

    Attributes:
        target: What was loaded.
        started: When the run began.
        plan: What was asked for.
        outcome: How it ended and what was seen.
        judgements: One per threshold, in the order given.
    """

    target: Target
    started: datetime
    plan: Plan
    outcome: Outcome
    judgements: tuple[Judgement, ...]

    @property
    def complete(self) -> bool:
        """Whether the run lasted as long as it was to."""
        return self.outcome.how == "finished"

    @property
    def rate(self) -> float:
        """Requests per second."""
        report = self.outcome.report
        return report.tally.requests / report.duration if report.duration else 0.0

    @property
    def client_cpu(self) -> float:
        """What the load process used of one core, as a share."""
        report = self.outcome.report
        return report.cpu / report.duration if report.duration else 0.0

    @property
    def verdict(self) -> Verdict:
        """What the run says: nothing, where it was cut short."""
        if not self.complete:
            return "inconclusive"
        kept = all(judgement.passed for judgement in self.judgements)
        return "passed" if kept and self.outcome.report.tally.requests else "failed"

    @property
    def reason(self) -> str | None:
        """Why the run failed or is inconclusive, one line; None where the thresholds say it."""
        after = f"after {self.outcome.report.duration:.1f} s; what was measured until then is partial"
        because = f" ({self.outcome.detail})" if self.outcome.detail else ""
        match self.outcome.how:
            case "interrupted":
                return f"interrupted {after}"
            case "target died":
                return f"the target died under load{because} {after}"
            case "generator died":
                return f"the load process died{because} {after}"
            case "generator stuck":
                return f"the load process did not end in time, and was killed {after}"
        tally = self.outcome.report.tally
        if not tally.requests:
            kinds = f": {next(iter(tally.kinds))}" if tally.kinds else ""
            return f"no request was sent{kinds}; a run that measures nothing proves nothing"
        return None

    def latency(self) -> dict[str, float] | None:
        """Latencies in seconds by name, None without any request."""
        histogram = self.outcome.report.tally.latency
        if not histogram.total:
            return None
        quantiles = {name: histogram.quantile(percent) for name, percent in PERCENTILES.items()}
        return {
            "min": histogram.min / MICROSECONDS,
            "avg": histogram.mean(),
            **quantiles,
            "max": histogram.max / MICROSECONDS,
        }

    def to_record(self) -> ResultRecord:
        """The result in JSON's types."""
        tally = self.outcome.report.tally
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target.to_record(self.plan.base_url),
            "started": self.started.isoformat(timespec="seconds"),
            "plan": {
                "model": "closed",
                "users": self.plan.users,
                "spawn_rate": self.plan.spawn_rate,
                "rate": self.plan.rate,
                "duration": self.plan.duration,
                "paths": [] if self.plan.locustfile else list(self.plan.paths),
                "locustfile": self.plan.locustfile,
                "expected": list(self.plan.expected),
            },
            "verdict": self.verdict,
            "reason": self.reason,
            "complete": self.complete,
            "duration": self.outcome.report.duration,
            "requests": tally.requests,
            "rate": self.rate,
            "errors": tally.errors,
            "error_share": tally.error_share,
            "error_kinds": {
                kind: {"count": count, "paths": tally.examples.get(kind, [])}
                for kind, count in tally.kinds.most_common()
            },
            "limited": tally.limited,
            "limited_share": tally.limited_share,
            "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
            "latency": self.latency(),
            "thresholds": [
                {"expression": one.threshold.expression, "actual": one.actual, "passed": one.passed}
                for one in self.judgements
            ],
            "client": {"cpu": self.client_cpu, "addresses": self.outcome.report.addresses},
        }

    def to_json(self) -> str:
        """The result as a JSON document that ends with a newline."""
        return json.dumps(self.to_record(), indent=2) + "\n"


def judge_run(
    *, target: Target, started: datetime, plan: Plan, outcome: Outcome, thresholds: Sequence[Threshold]
) -> Result:
    """Hold a run against its thresholds.

    Args:
        target: What was loaded.
        started: When the run began.
        plan: What was asked for.
        outcome: How it ended and what was seen.
        thresholds: What it must keep.
    """
    report = outcome.report
    judgements = tuple(judge(threshold, report.tally, duration=report.duration) for threshold in thresholds)
    return Result(target=target, started=started, plan=plan, outcome=outcome, judgements=judgements)
