"""The result of a run, as every report renders it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from garrison_harness.load import verdict
from garrison_harness.load.capacity import Capacity
from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.generator import Outcome
from garrison_harness.load.health import Health
from garrison_harness.load.judging import Evidence, judge
from garrison_harness.load.latencies import latency_of
from garrison_harness.load.plan import Plan
from garrison_harness.load.promise import Promise
from garrison_harness.load.record import record_of
from garrison_harness.load.thresholds import Judgement
from garrison_harness.load.watch.resources import Resources
from garrison_harness.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.record import ResultRecord
    from garrison_harness.load.thresholds import Threshold
    from garrison_harness.load.verdict import Ruling, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A run that is over, and its judgement.

    Attributes:
        target: What was loaded.
        started: When the first user started.
        plan: What was asked for.
        outcome: How it ended and what was seen.
        judgements: One per threshold, in the order given.
        health: How the generator did.
        promises: What hardening kept under load; none where the target was not watched.
        resources: What the target used; None where it was not watched.
        comparison: How far it is apart from another variant; None where nothing was compared.
        capacity: What the search for it found; None where nothing was searched. Where something was, plan,
            outcome and judgements are those of the highest load that held.
        slices: The rounds of the target in a comparison, else the run in a few parts.
    """

    target: Target
    started: datetime
    plan: Plan
    outcome: Outcome
    judgements: tuple[Judgement, ...]
    health: Health = field(default_factory=Health)
    promises: tuple[Promise, ...] = ()
    resources: Resources | None = None
    comparison: Comparison | None = None
    capacity: Capacity | None = None
    slices: tuple[Slice, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the run lasted as long as it was to."""
        return self.outcome.how == "finished"

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.outcome.account.rate

    @property
    def client_cpu(self) -> float:
        """What the load processes used of one core, as a share."""
        account = self.outcome.account
        return account.cpu / account.duration if account.duration else 0.0

    @property
    def ruling(self) -> Ruling:
        """The verdict and its reason."""
        return verdict.rule(
            self.outcome,
            self.judgements,
            health=self.health,
            promises=self.promises,
            unsettled=self.comparison.reasons if self.comparison else (),
            capacity=self.capacity,
        )

    @property
    def verdict(self) -> Verdict:
        """What the run says: nothing, where it was cut short or the generator was the limit."""
        return self.ruling.verdict

    @property
    def reason(self) -> str | None:
        """Why the verdict is what it is, one line; None where the thresholds say it."""
        return self.ruling.reason

    @property
    def exit_status(self) -> int:
        """What the command ends with."""
        return verdict.EXIT_STATUSES[self.verdict]

    def latency(self) -> dict[str, float] | None:
        """Latencies in seconds by name, None without any request."""
        return latency_of(self.outcome.account.tally.latency)

    def to_record(self) -> ResultRecord:
        """The result in JSON's types."""
        return record_of(self)

    def to_json(self) -> str:
        """The result as a JSON document that ends with a newline."""
        return json.dumps(self.to_record(), indent=2) + "\n"


def judge_all(
    thresholds: Sequence[Threshold], evidence: Evidence, *, aborted: Judgement | None = None
) -> tuple[Judgement, ...]:
    """Hold a run against its thresholds.

    Args:
        thresholds: What it must keep.
        evidence: What was measured.
        aborted: What made the run end early; it stays missed, whatever came in after it.
    """
    found = (judge(threshold, evidence) for threshold in thresholds)
    if aborted is None:
        return tuple(found)
    return tuple(aborted if one.threshold == aborted.threshold else one for one in found)
