"""One run: the target is started, loaded and judged."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from garrison_harness.load.aborting import AbortWatch
from garrison_harness.load.calibration import calibrate
from garrison_harness.load.compare.against import Loaded, compare, load_against
from garrison_harness.load.health import assess
from garrison_harness.load.judging import Evidence
from garrison_harness.load.logging_in import logged_in
from garrison_harness.load.machine import read_cpu_times
from garrison_harness.load.profiles import STRESS
from garrison_harness.load.report.asked import several
from garrison_harness.load.report.live import Live
from garrison_harness.load.requests.wanted import fill
from garrison_harness.load.result import Result, judge_all
from garrison_harness.load.stress import Explored, explore
from garrison_harness.load.thresholds import Judgement
from garrison_harness.load.watch.unwatched import Unwatched
from garrison_harness.load.watch.watch import Watch
from garrison_harness.running import running

if TYPE_CHECKING:
    from garrison_harness.load.account import Account
    from garrison_harness.load.asked import Asked
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running


@dataclass(slots=True)
class _Seen:
    """What became of the load itself; `explored` where the load was a search for the capacity."""

    loaded: Loaded
    explored: Explored | None
    aborted: Judgement | None
    stolen: float | None


def perform(asked: Asked) -> Result:
    """Load a target as planned, and judge what came of it.

    Args:
        asked: The target, the plan, and what it is judged by.

    Raises:
        KeyboardInterrupt: The process was told to end before the load began.
        TargetFailed: The target does not start.
        UsageFault: The login failed, the locustfile or the OpenAPI document cannot be used, or the logs
            cannot be written.
    """
    with running(asked.target, log_directory=asked.log_directory) as up:
        plan = replace(asked.plan, headers=logged_in(up, asked.plan.headers, asked.login))
        plan, notes = fill(plan.at(up.base_url), up, asked.wanted)
        for note in notes:
            click.echo(f"garrison: {note}", err=True)
        watch = Watch(up, plan, quotas=asked.quotas) if asked.quotas is not None else Unwatched(plan)
        ceiling = _ceiling(asked, plan)
        if plan.bind is not None:
            host, port = plan.bind
            who = several(plan.workers, "worker")
            click.echo(f"garrison: waiting for {who} at {host}:{port}", err=True)
        started, clock = datetime.now(UTC), time.monotonic()
        with watch.watching():
            seen = _load(asked, up, watch.plan, ceiling)
        outcome, explored = seen.loaded.outcome, seen.explored
        everything = explored.everything if explored else outcome.account
        promises, resources = watch.promises(everything), watch.resources(everything)
    plan = explored.plan if explored else plan
    health = explored.health if explored else None
    health = health or assess(outcome.account, plan, stolen=seen.stolen, ceiling=ceiling)
    comparison = compare(asked.against, seen.loaded, watch.plan, health)
    measures = resources.measures() if resources else {}
    evidence = Evidence(account=outcome.account, measures=measures, differences=comparison)
    return Result(
        target=asked.target,
        started=_begun(started, clock, everything),
        plan=plan,
        outcome=outcome,
        judgements=judge_all(asked.thresholds, evidence, aborted=seen.aborted),
        health=health,
        promises=promises,
        resources=resources,
        comparison=comparison,
        capacity=explored.capacity if explored else None,
        slices=seen.loaded.slices,
    )


def _begun(started: datetime, clock: float, account: Account) -> datetime:
    """When the first user started, to be found in a log: the load process takes a second or two to start."""
    return started + timedelta(seconds=account.began - clock) if account.began else started


def _ceiling(asked: Asked, plan: Plan) -> float | None:
    """What the generator reaches by itself; where that was asked for and cannot be found out, it is said."""
    if not asked.calibrated:
        return None
    ceiling = calibrate(plan)
    if ceiling is None:
        click.echo("garrison: the generator could not be calibrated; the run goes on without that", err=True)
    return ceiling


def _load(asked: Asked, up: Running, plan: Plan, ceiling: float | None) -> _Seen:
    """The load, with whoever listens to it."""
    abort, before, explored = AbortWatch(asked.thresholds), read_cpu_times(), None
    logs = asked.log_directory
    with Live(plan, asked.thresholds, lines=asked.progress) as live:
        if plan.profile == STRESS:
            explored = explore(
                plan, up, asked.thresholds, ceiling=ceiling, listener=live.hear, log_directory=logs
            )
            loaded = Loaded(outcome=explored.outcome, slices=())
        else:
            loaded = load_against(asked.against, up, plan, listener=live.before(abort), log_directory=logs)
    after = read_cpu_times()
    return _Seen(
        loaded=loaded,
        explored=explored,
        aborted=abort.missed if loaded.outcome.how == "aborted" else None,
        stolen=before.stolen_until(after) if before is not None and after is not None else None,
    )
