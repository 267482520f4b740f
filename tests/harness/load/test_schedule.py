"""When arrivals are due."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.plan import Plan, Stage
from garrison_harness.load.profiles import PROFILES
from garrison_harness.load.schedule import due_times, level_at, stages_of, users_at

LEVELS = st.integers(0, 500)
STAGES = st.lists(st.builds(Stage, seconds=st.integers(0, 20), level=LEVELS), min_size=1, max_size=5)


def constant(rate: float, seconds: float) -> tuple[Stage, ...]:
    """A rate that stays the same."""
    return stages_of(Plan(rate=rate, duration=seconds))


def area(stages: list[Stage]) -> float:
    """Arrivals that the stages come to, by the trapezoids under them."""
    levels = [0.0, *(stage.level for stage in stages)]
    return sum(
        stage.seconds * (before + stage.level) / 2 for stage, before in zip(stages, levels, strict=False)
    )


@pytest.mark.parametrize(("rate", "seconds"), [(100.0, 30.0), (33.3, 10.0), (0.1, 30.0), (5000.0, 1.0)])
def test_constant_rate_is_evenly_spaced(rate: float, seconds: float) -> None:
    """As many arrivals as were asked for, the first at once, and the same time between any two."""
    found = list(due_times(constant(rate, seconds)))
    assert len(found) == round(rate * seconds)
    assert found[0] == 0
    assert [later - earlier for earlier, later in pairwise(found)] == pytest.approx(
        [1 / rate] * (len(found) - 1)
    )
    assert found[-1] < seconds


@given(STAGES)
def test_stages_lose_no_arrival_where_they_meet(stages: list[Stage]) -> None:
    """In all, the arrivals are as many as the area under the stages, in order, and within their time."""
    found = list(due_times(stages))
    assert len(found) == pytest.approx(area(stages), abs=1)
    assert found == sorted(found)
    assert all(0 <= moment <= sum(stage.seconds for stage in stages) + 1e-6 for moment in found)


@given(STAGES)
def test_arrival_comes_when_the_area_reaches_its_number(stages: list[Stage]) -> None:
    """The arrival with number n is due when the rate has come to n: a ramp begins thin and ends dense."""
    for number, moment in islice(enumerate(due_times(stages)), 200):
        passed, left, level = 0.0, moment, 0.0
        for stage in stages:
            spent = min(left, stage.seconds)
            reached = level + (stage.level - level) * (spent / stage.seconds if stage.seconds else 1.0)
            passed += spent * (level + reached) / 2
            left, level = left - spent, stage.level
            if left <= 0:
                break
        assert passed == pytest.approx(number, abs=1e-3)


@given(STAGES, st.integers(1, 4))
def test_load_processes_share_the_arrivals(stages: list[Stage], workers: int) -> None:
    """What several processes do together is what one would do."""
    shares = [list(due_times(stages, first=first, stride=workers)) for first in range(workers)]
    assert sorted(moment for share in shares for moment in share) == list(due_times(stages))


@pytest.mark.parametrize(
    ("seconds", "level"), [(0, 0), (2.5, 5), (5, 10), (6, 10), (9.99, 10), (10, 2), (12, 2), (99, 2)]
)
def test_level_follows_the_stages(seconds: float, level: float) -> None:
    """The load rises evenly, stays, and steps down at once."""
    stages = [Stage(seconds=5, level=10), Stage(seconds=5, level=10), Stage(seconds=0, level=2)]
    assert level_at(stages, seconds) == pytest.approx(level, abs=0.01)


def test_there_is_always_somebody() -> None:
    """A spike of four users has one before and after it, and a ramp begins with one."""
    assert users_at(PROFILES["spike"].stages(4, 60), 0) == 1
    assert users_at(PROFILES["spike"].stages(4, 60), 20) == 4
    assert users_at(PROFILES["ramp"].stages(4, 60), 0) == 1


def test_plan_without_stages_is_one() -> None:
    """Users or a rate alone are there from beginning to end."""
    assert level_at(stages_of(Plan(users=7, duration=3)), 0) == 7
    assert level_at(stages_of(Plan(rate=9.5, duration=3)), 2.9) == 9.5
