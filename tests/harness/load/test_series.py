"""A run second by second."""

from __future__ import annotations

import json
import math

import pytest

from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.names import merged
from garrison_harness.load.series import MOST_SECONDS, Second, Series
from garrison_harness.load.tally import Tally


def second(at: float, *milliseconds: float, width: float = 1.0, users: int = 1, cpu: float = 0.5) -> Second:
    """An interval with requests of these latencies."""
    tally = Tally()
    for latency in milliseconds:
        tally.reply(latency / 1000, status=200)
    arrivals = Arrivals(due=len(milliseconds))
    return Second(at=at, width=width, users=users, cpu=cpu, arrivals=arrivals, tally=tally)


def series(*seconds: Second) -> Series:
    """A series of them."""
    made = Series()
    for one in seconds:
        made.add(one)
    return made


@pytest.mark.parametrize(("length", "step"), [(1, 1), (600, 1), (601, 2), (1200, 2), (1500, 4)])
def test_long_run_is_told_in_wider_steps_and_loses_nothing(length: int, step: int) -> None:
    """Beyond ten minutes neighbours become one: the memory stays the same, and so do all the sums."""
    made = series(*(second(at, at % 7) for at in range(1, length + 1)))
    assert (made.step, len(made)) == (step, math.ceil(length / step))
    assert len(made) <= MOST_SECONDS
    assert merged(one.tally for one in made) == merged(
        second(at, at % 7).tally for at in range(1, length + 1)
    )
    assert sum(one.width for one in made) == length
    assert sum(one.arrivals.due for one in made) == length
    assert [one.at for one in made] == sorted(one.at for one in made)


def test_parts_of_a_second_become_one() -> None:
    """What is told in two parts of the same second is one interval: users as they are then, and mean CPU."""
    made = series(second(0.5, 1, width=0.5, users=3, cpu=1.0), second(1.0, 2, width=0.5, users=5, cpu=0.5))
    (one,) = made
    assert (one.at, one.width, one.users, one.cpu, one.tally.requests) == (1.0, 1.0, 5, 0.75, 2)
    assert one.rate == 2


def test_rest_of_a_second_is_no_second_of_its_own() -> None:
    """The last millisecond of a run has no rate and no CPU share that mean anything by themselves."""
    made = series(second(1.0, 1), second(2.0, 1), second(2.003, 1, width=0.003, cpu=50.0))
    assert [(one.at, one.tally.requests) for one in made] == [(1.0, 1), (2.003, 2)]
    assert max(one.cpu for one in made) < 0.7


def test_load_processes_add_up_second_by_second() -> None:
    """Two processes at the same time: twice the users, the CPU of both, and one series."""
    left = series(second(1.0, 1), second(2.01, 2))
    left.merge(series(second(0.99, 3), second(2.0, 4), second(3.0, 5)))
    assert [(one.at, one.width, one.users, one.cpu, one.tally.requests) for one in left] == [
        (1.0, 1.0, 2, 1.0, 2),
        (2.01, 1.0, 2, 1.0, 2),
        (3.0, 1.0, 1, 0.5, 1),
    ]


def test_second_that_is_told_late_is_still_that_second() -> None:
    """A load process that was held up tells late; no second is empty, and none counts twice, for that."""
    made = series(
        second(1.0, 1), second(2.2, 1, width=1.2), second(3.0, 1, width=0.8), second(3.0, width=0.0)
    )
    assert list(made.slots) == [0, 1, 2]


def test_series_of_different_steps_add_up() -> None:
    """A process that ran for long and one that joined late are told in the wider steps."""
    long, short = series(*(second(at, 1) for at in range(1, MOST_SECONDS + 2))), series(second(3.0, 1))
    for left, right in ((long, short), (short, long)):
        both = Series.from_record(left.to_record())
        both.merge(right)
        assert (both.step, len(both)) == (2, len(long))
        assert merged(one.tally for one in both).requests == MOST_SECONDS + 2
    assert (short.step, len(short)) == (1, 1), "what is merged in stays as it is"


def test_series_survives_json() -> None:
    """A series that went through JSON is the same."""
    made = series(second(1.0, 1, 2), second(2.0), second(4.0, 9))
    assert Series.from_record(json.loads(json.dumps(made.to_record()))) == made
