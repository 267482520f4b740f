"""The result of a run as the JSON that machines read."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.record_detail import error_kinds, group, interval, statuses

if TYPE_CHECKING:
    from garrison_harness.load.arrivals import ArrivalsRecord
    from garrison_harness.load.capacity import CapacityRecord
    from garrison_harness.load.compare.comparison import ComparisonRecord
    from garrison_harness.load.compare.slices import SliceRecord
    from garrison_harness.load.health import HealthRecord
    from garrison_harness.load.plan import Model, Plan
    from garrison_harness.load.promise import PromiseRecord
    from garrison_harness.load.record_detail import ErrorRecord, GroupRecord, IntervalRecord
    from garrison_harness.load.result import Result
    from garrison_harness.load.thresholds import Judgement
    from garrison_harness.load.verdict import Verdict
    from garrison_harness.load.watch.resources import ResourcesRecord
    from garrison_harness.target import TargetRecord

SCHEMA_VERSION = 2
"""Grows when a field of the JSON result changes its meaning or goes; new fields may come at any time."""


class PlanRecord(TypedDict):
    """What was asked for: `users` in the closed model, `rate` and at most `max_users` in the open one.

    `requests` are the names of the requests of a list or an OpenAPI document, `mix` the users that ship with
    name, path and weight.
    """

    model: Model
    users: int
    spawn_rate: float
    rate: float | None
    max_users: int
    profile: str | None
    duration: float
    paths: list[str]
    requests: list[str]
    locustfile: str | None
    mix: list[list[str | int]]
    expected: list[int]
    one_address: bool
    workers: int


class ThresholdRecord(TypedDict):
    """One threshold.

    `actual` is in seconds, a share of 0 to 1, requests per second, a count, or bytes; null where nothing was
    measured, and then `note` says why. `undecided` is true where a difference is too uncertain.
    """

    expression: str
    actual: float | None
    passed: bool
    undecided: bool
    note: str


class ClientRecord(TypedDict):
    """The load processes: CPU time per time that passed (1.0 is one core), and its source addresses."""

    cpu: float
    addresses: int


class ToolRecord(TypedDict):
    """What made the report."""

    name: str
    version: str


class ResultRecord(TypedDict):
    """The JSON result.

    Times are in seconds, shares are 0 to 1. `reason` says why a run failed for another cause than a
    threshold, or is inconclusive. `complete` is false where the run was cut short, and `aborted` true where a
    threshold did it: the rest then describes the part that there was. `errors` counts failed requests and
    exceptions in tasks, by kind in `error_kinds`; `limited` counts replies of 429, which are no errors.
    `resent` counts how often a request was sent again because its connection closed without a reply.
    `statuses` counts replies by code. `latency` is null where no request was sent. `target` is the same
    object as in the report of an audit. `arrivals` is all nought in the closed model. `health` tells whether
    the generator was the limit. `comparison` is null where nothing was compared, `capacity` where none was
    searched; `slices` are the rounds of the target in a comparison, and else the run in up to ten parts, for
    a later comparison with it. `names` and `tags` are the requests of each name and tag, where `tasks` stands
    for what tasks raised outside of requests; `series` is the run interval by interval, of `step` seconds
    each. `resources` is what the target used, and null where it was not watched.
    """

    schema_version: int
    tool: ToolRecord
    target: TargetRecord
    started: str
    plan: PlanRecord
    verdict: Verdict
    reason: str | None
    complete: bool
    aborted: bool
    duration: float
    requests: int
    rate: float
    errors: int
    error_share: float
    error_kinds: dict[str, ErrorRecord]
    limited: int
    limited_share: float
    received: int
    resent: int
    statuses: dict[str, int]
    latency: dict[str, float] | None
    arrivals: ArrivalsRecord
    thresholds: list[ThresholdRecord]
    client: ClientRecord
    health: HealthRecord
    promises: list[PromiseRecord]
    comparison: ComparisonRecord | None
    capacity: CapacityRecord | None
    slices: list[SliceRecord]
    resources: ResourcesRecord | None
    names: dict[str, GroupRecord]
    tags: dict[str, GroupRecord]
    step: int
    series: list[IntervalRecord]


def record_of(result: Result) -> ResultRecord:
    """A result in JSON's types.

    Args:
        result: A run that is over.
    """
    account, ruling = result.outcome.account, result.ruling
    tally = account.tally
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "garrison", "version": version("garrison")},
        "target": result.target.to_record(result.plan.base_url),
        "started": result.started.isoformat(timespec="seconds"),
        "plan": plan_record(result.plan),
        "verdict": ruling.verdict,
        "reason": ruling.reason,
        "complete": result.complete,
        "aborted": result.outcome.how == "aborted",
        "duration": account.duration,
        "requests": tally.requests,
        "rate": result.rate,
        "errors": tally.errors,
        "error_share": tally.error_share,
        "error_kinds": error_kinds(tally),
        "limited": tally.limited,
        "limited_share": tally.limited_share,
        "received": tally.received,
        "resent": tally.resent,
        "statuses": statuses(tally),
        "latency": result.latency(),
        "arrivals": account.arrivals.to_record(),
        "thresholds": list(map(_threshold, result.judgements)),
        "client": {"cpu": result.client_cpu, "addresses": account.addresses},
        "health": result.health.to_record(),
        "promises": [promise.to_record() for promise in result.promises],
        "comparison": result.comparison.to_record() if result.comparison else None,
        "capacity": result.capacity.to_record() if result.capacity else None,
        "slices": [part.to_record() for part in result.slices],
        "resources": result.resources.to_record() if result.resources else None,
        "names": {name: group(one) for name, one in account.names.items()},
        "tags": {tag: group(one) for tag, one in account.tags.items()},
        "step": account.series.step,
        "series": list(map(interval, account.series)),
    }


def plan_record(plan: Plan) -> PlanRecord:
    """A plan in JSON's types.

    Args:
        plan: What was asked for.
    """
    return {
        "model": plan.model,
        "users": plan.users,
        "spawn_rate": plan.spawn_rate,
        "rate": plan.rate,
        "max_users": plan.max_users,
        "profile": plan.profile,
        "duration": plan.duration,
        "paths": [] if plan.locustfile else list(plan.paths),
        "requests": [f"{spec['method']} {spec['name']}" for spec in plan.requests],
        "locustfile": plan.locustfile,
        "mix": [list(user) for user in plan.mix],
        "expected": list(plan.expected),
        "one_address": plan.one_address,
        "workers": plan.workers,
    }


def _threshold(judgement: Judgement) -> ThresholdRecord:
    return {
        "expression": judgement.threshold.expression,
        "actual": judgement.actual,
        "passed": judgement.passed,
        "undecided": judgement.undecided,
        "note": judgement.note,
    }
