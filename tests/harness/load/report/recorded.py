"""Runs as they could have been recorded, so that no report needs a load to be made."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.capacity import Capacity, Step
from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.delta import Delta
from garrison_harness.load.generator import How, Outcome
from garrison_harness.load.health import assess
from garrison_harness.load.histogram import Histogram
from garrison_harness.load.judging import Evidence
from garrison_harness.load.names import IN_TASKS, merged
from garrison_harness.load.plan import Plan
from garrison_harness.load.promise import Promise
from garrison_harness.load.result import Result, judge_all
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import parse_threshold
from garrison_harness.load.watch.resources import Resources
from garrison_harness.load.watch.track import Track
from garrison_harness.target import parse_target

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ("GET /items", "GET /items/{id}", "POST /items", "GET /search")


def delta(at: float, *, rate: int = 40, width: float = 1.0, seed: int = 7, slow: float = 1.0) -> Delta:
    """What happened in one second of a shop under load: slower in waves, with errors now and then."""
    chance = random.Random(seed * 100_003 + round(at * 10))  # noqa: S311 - the same each time
    names = {name: Tally() for name in NAMES}
    pace = slow * (1.0 + 0.8 * math.sin(at / 9))
    for number in range(round(rate * width)):
        name = NAMES[number % len(NAMES)]
        seconds = 0.0008 * pace * (1 + number % len(NAMES)) * chance.lognormvariate(0.0, 0.5)
        if chance.random() < 0.01:
            names[name].reply(seconds * 12, status=500, error="HTTP 500", path=f"/items/{number}")
        elif chance.random() < 0.01:
            names[name].reply(seconds / 3, status=429)
        elif chance.random() < 0.002:
            names[name].reply(
                seconds * 40, status=0, error="ConnectionResetError: the peer reset it", path="/search"
            )
        else:
            status = 200 if name != "POST /items" else 201
            names[name].reply(seconds, status=status, received=512)
    if round(at) % 30 == 7:
        names[IN_TASKS] = Tally()
        names[IN_TASKS].task_error("in a task: KeyError: 'token'")
    arrivals = Arrivals(due=round(rate * width), late=2 * chance.randrange(2), dropped=0)
    return Delta(
        at=at,
        width=width,
        users=5 + round(at) % 3,
        cpu=0.2 * width,
        addresses=8,
        arrivals=arrivals,
        names=names,
    )


def account(
    seconds: int = 20, *, rate: int = 40, open_model: bool = True, slow: float = 1.0, seed: int = 7
) -> Account:
    """A whole run, folded together as it comes in."""
    made = Account()
    for second in range(1, seconds + 1):
        told = delta(float(second), rate=rate, seed=seed, slow=slow)
        if not open_model:
            told.arrivals = Arrivals()
        told.tags = {"write": told.names["POST /items"], "read": told.names["GET /items"]}
        made.add(told)
    return made


def result(
    *expressions: str,
    how: How = "finished",
    detail: str = "",
    seen: Account | None = None,
    rate: float | None = 40.0,
    full: bool = False,
    capacity: Capacity | None = None,
) -> Result:
    """The judgement of a run; a full one was watched and compared as well."""
    seen = account() if seen is None else seen
    plan = Plan(base_url="http://127.0.0.1:8000", users=8, rate=rate, duration=max(1.0, round(seen.duration)))
    thresholds = [parse_threshold(text) for text in expressions or ("p95<200ms", "errors<5%")]
    compared = comparison(seen) if full else None
    used = resources(seen.duration) if full else None
    evidence = Evidence(account=seen, measures=used.measures() if used else {}, differences=compared)
    return Result(
        target=parse_target(["shop:app"]),
        started=STARTED,
        plan=plan,
        outcome=Outcome(how=how, detail=detail, account=seen),
        judgements=judge_all(thresholds, evidence),
        health=assess(seen, plan, ceiling=9400.0),
        promises=PROMISES if full else (),
        resources=used,
        comparison=compared,
        capacity=capacity,
        slices=rounds(seen) if full else (),
    )


PROMISES = (
    Promise(id="headers", title="Security headers stay", verdict="kept", detail="on all 1,200 samples"),
    Promise(
        id="problems",
        title="Errors are problem documents",
        verdict="broken",
        detail="3 of 29 errors were not",
        examples=("GET /items/17 answered 500 as text/plain", "GET /items/40 answered 500 as text/plain"),
    ),
    Promise(id="quota", title="Limits are exact", verdict="not judged", detail="no --quota was given"),
)


CAPACITY = Capacity(
    unit="arrivals/s",
    steps=(
        Step(level=100, held=True, rate=100.0, p95=0.0021),
        Step(level=200, held=True, rate=199.0, p95=0.0048),
        Step(level=400, held=False, why="p95 took off: 1.2 s", rate=260.0, p95=1.2, error_share=0.031),
    ),
)


def resources(end: float) -> Resources:
    """What the target used: memory that grows, and a loop that is late in waves."""
    memory, lag, latency = Track(), Track(), Histogram()
    for second in range(int(end) + 1):
        memory.add(float(second), 120e6 + 40e3 * second)
        late = 0.001 + 0.0009 * math.sin(second / 5)
        lag.add(float(second), late)
        latency.record(late)
    return Resources(memory=memory, lag=lag, lag_latency=latency, lag_request="GET /livez")


def comparison(seen: Account) -> Comparison:
    """The run held against one of the same app that is faster, in six rounds."""
    other = account(max(1, round(seen.duration)), slow=0.6, seed=3)
    return Comparison(
        baseline="bare",
        interleaved=True,
        baseline_rounds=rounds(other),
        target_rounds=rounds(seen),
        baseline_account=other,
    )


def rounds(seen: Account) -> tuple[Slice, ...]:
    """A run in six parts."""
    seconds = list(seen.series)
    parts = []
    for number in range(6):
        tally = merged(second.tally for second in seconds[number::6])
        duration = float(len(seconds[number::6]))
        parts.append(Slice.of(tally, duration=duration, cpu=0.001 * tally.requests))
    return tuple(parts)
