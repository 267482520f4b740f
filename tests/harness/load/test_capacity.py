"""The search for how much a target carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.capacity import FIRST_RATE, STEPS, Capacity, Search, Step, first_level
from garrison_harness.load.carrying import judge_step
from garrison_harness.load.generator import How, Outcome
from garrison_harness.load.health import Health, assess
from garrison_harness.load.plan import Plan
from garrison_harness.load.stress import at_level, step_of
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import parse_threshold
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable


def searched(carries: Callable[[float], bool], *, most: float, whole: bool = False) -> Capacity:
    """What a search finds at a target that carries what the function says."""
    search, steps = Search(first=first_level(most, whole=whole), most=most, whole=whole), list[Step]()
    while (level := search.following()) is not None:
        steps.append(Step(level=level, held=carries(level), why="" if carries(level) else "too much"))
        search.tell(level, held=steps[-1].held)
    return Capacity(unit="users" if whole else "arrivals/s", steps=tuple(steps))


@given(st.floats(1, 5000), st.booleans())
def test_search_comes_near_the_capacity_in_a_dozen_steps(limit: float, whole: bool) -> None:
    """Whatever the target carries, the answer is below it, and the load above it that broke is not far."""
    found = searched(lambda level: level <= limit, most=5000, whole=whole)
    assert found.best is not None
    assert found.best.level <= limit
    assert len(found.steps) <= STEPS
    if found.broke is not None:
        assert limit < found.broke.level <= max(1.3 * found.best.level, found.best.level + 1)
    if whole:
        assert all(step.level == int(step.level) for step in found.steps)


def test_search_stops_at_the_peak_that_it_is_given() -> None:
    """A target that carries all that was asked about is asked no more."""
    found = searched(lambda _level: True, most=400)
    assert [step.level for step in found.steps] == [25, 50, 100, 200, 400]
    assert found.broke is None
    assert "at least 400 arrivals/s" in found.describe()


def test_search_goes_down_where_the_first_load_is_too_much() -> None:
    """A slow target is found out too; one that carries nothing ends the search."""
    found = searched(lambda level: level <= 4, most=100_000)
    assert [step.level for step in found.steps[:3]] == [FIRST_RATE, FIRST_RATE / 4, FIRST_RATE / 16]
    assert found.best is not None
    assert found.best.level <= 4
    nothing = searched(lambda _level: False, most=100)
    assert nothing.best is None
    assert nothing.describe() == "nothing held: too much"


def test_what_held_above_what_broke_is_no_capacity() -> None:
    """A load that held by luck above one that broke is not promised to anybody."""
    steps = (
        Step(level=10, held=True, rate=9.5),
        Step(level=20, held=False, why="slow"),
        Step(level=40, held=True),
    )
    found = Capacity(unit="users", steps=steps)
    assert found.best == steps[0]
    assert found.describe() == "10 users, 9.5 requests/s; at 20 users: slow"


def test_generator_that_is_the_limit_is_no_capacity_of_the_target() -> None:
    """What the generator could not make says that the target carries at least the rest."""
    steps = (Step(level=10, held=True, rate=10), Step(level=20, held=False, limited=True, why="a busy core"))
    found = Capacity(unit="arrivals/s", steps=steps)
    assert found.limited
    assert found.describe().startswith("at least 10 arrivals/s")
    assert found.to_record()["limited"] is True
    assert found.to_record()["broke_at"] == 20


def outcome(
    *milliseconds: float,
    error: str | None = None,
    arrivals: Arrivals | None = None,
    how: How = "finished",
    detail: str = "",
) -> Outcome:
    """A step of one second with requests of these latencies."""
    tally = Tally()
    for latency in milliseconds:
        tally.reply(latency / 1000, status=503 if error else 200, error=error)
    account = Account(duration=1.0, names={"GET /": tally}, arrivals=arrivals or Arrivals())
    return Outcome(how=how, detail=detail, account=account)


OPEN = Plan(rate=100, duration=1)
CLOSED = Plan(users=100, duration=1)
BUSY = Health(reasons=("the load process was busy",))
CALM = (Step(level=50, held=True, rate=1.0, p95=0.002),)


@pytest.mark.parametrize(
    ("plan", "seen", "thresholds", "why"),
    [
        (OPEN, outcome(1, 2), [], ""),
        (OPEN, outcome(1, 2, error="HTTP 503"), [], "100% were errors, most of them HTTP 503"),
        (OPEN, outcome(1, 2, error="HTTP 503"), ["errors<=100%"], ""),
        (OPEN, outcome(1, 90), ["p95<50ms"], "p95<50ms was missed: 90 ms"),
        (OPEN, outcome(1, 2), ["rate>500"], ""),
        (OPEN, outcome(1, 2), ["memory_growth<10%"], ""),
        (OPEN, outcome(1, arrivals=Arrivals(due=100, late=6, starved=6)), [], "did not keep up"),
        (OPEN, outcome(1, arrivals=Arrivals(due=100, late=5, starved=5)), [], ""),
        (OPEN, outcome(), [], "no request was sent"),
        (OPEN, outcome(101), [], "p95 took off: 101 ms, from 2 ms"),
        (OPEN, outcome(99), [], ""),
        (CLOSED, outcome(1), [], "twice the users got no more through"),
        (CLOSED, outcome(1, 1), [], ""),
        (OPEN, outcome(1, how="aborted", detail="p95<1ms was missed"), [], "p95<1ms was missed"),
        (OPEN, outcome(1, how="target died", detail="signal 9"), [], "target died: signal 9"),
    ],
)
def test_step_that_gives_way_says_why(plan: Plan, seen: Outcome, thresholds: list[str], why: str) -> None:
    """Errors, a threshold, a queue, a latency that takes off, and users that only wait end a step."""
    step = judge_step(100, plan, seen, list(map(parse_threshold, thresholds)), Health(), CALM)
    assert (step.held, step.limited) == (not why, False)
    assert why in step.why


@pytest.mark.parametrize(
    ("seen", "limited"),
    [
        (outcome(1), True),
        (outcome(90), True),
        (outcome(1, error="HTTP 503"), False),
        (outcome(1, how="target died"), False),
    ],
)
def test_busy_generator_is_blamed_for_time_and_not_for_errors(seen: Outcome, limited: bool) -> None:
    """Where the generator was the limit, a latency says nothing about the target; a 503 does."""
    step = judge_step(100, OPEN, seen, [parse_threshold("p95<50ms")], BUSY, ())
    assert (step.held, step.limited) == (False, limited)


def test_few_late_arrivals_are_blamed_for_the_percentile_that_they_move() -> None:
    """Of twelve arrivals, two that a busy machine started late are the slowest: no word on the target."""
    late = assess(outcome(90, arrivals=Arrivals(due=12, late=2)).account, OPEN)
    assert not late.limited
    step = judge_step(100, OPEN, outcome(90), [parse_threshold("p95<50ms")], late, ())
    assert (step.held, step.limited) == (False, True)
    assert "2 of 12 arrivals were not started in time" in step.why
    assert judge_step(100, OPEN, outcome(101), [], late, CALM).limited
    assert judge_step(100, OPEN, outcome(90), [], late, CALM).held


def test_step_is_a_twelfth_of_the_time() -> None:
    """Length and level of a step are those of the search; too short a search is refused."""
    step = step_of(Plan(rate=1000, duration=24))
    assert (step.duration, at_level(step, 62.5).rate) == (2.0, 62.5)
    assert at_level(step_of(Plan(users=1000, duration=24)), 8).users == 8
    with pytest.raises(UsageFault, match="give at least --duration 12s"):
        step_of(Plan(rate=1000, duration=11))
