"""Memory and loop lag over time, and what thresholds get of them."""

from __future__ import annotations

import pytest

from garrison_harness.load.report.text_target import grown
from garrison_harness.load.watch.resources import Resources, read_resources
from garrison_harness.load.watch.track import MOST_POINTS, Track

MB = 1_000_000.0


def resources(memory: list[float], lag: list[tuple[float, float, int]]) -> Resources:
    """Of a run of ten seconds from moment 100 on, with a reading of the memory each second."""
    readings = [(100.0 + number, value) for number, value in enumerate(memory)]
    return read_resources(lag=lag, memory=readings, began=100.0, ended=110.0, lag_request="GET /livez")


def test_lag_of_the_run_is_told_and_nothing_before_or_after() -> None:
    """Percentiles and a series in seconds since the first user, without what came before the load."""
    lag = [
        (99.0, 5.0, 200),
        *((100.0 + one / 10, 0.001 * (one + 1), 200) for one in range(100)),
        (111.0, 5.0, 200),
    ]
    found = resources([], lag)
    assert found.measures() == pytest.approx(
        {"lag_p50": 0.05, "lag_p95": 0.095, "lag_p99": 0.099, "lag_max": 0.1}, rel=0.01
    )
    assert found.lag is not None
    assert found.lag.points[0] == (0.0, 0.001)
    assert found.memory is None
    assert found.lag_request == "GET /livez"


def test_reply_that_never_came_counts_as_long_as_it_was_waited_for() -> None:
    """A target that hangs is late; one that refuses the connection is not fast, but gone."""
    found = resources([], [(101.0, 5.0, 0), (102.0, 0.0001, 0)])
    assert found.lag_latency.total == 1
    assert found.measures()["lag_max"] == 5.0


@pytest.mark.parametrize(
    ("memory", "growth"),
    [
        ([100 * MB] * 10, 0.0),
        ([100 * MB + 10 * MB * second for second in range(10)], 185 / 105 - 1),
        ([100 * MB, 100 * MB, 150 * MB], 0.5),
        # One reading that is off says nothing.
        ([100 * MB] * 14 + [900 * MB], 0.0),
    ],
)
def test_growth_compares_the_end_with_the_beginning(memory: list[float], growth: float) -> None:
    """A leak is a share of what the target used at first."""
    found = read_resources(
        lag=[], memory=[(float(number), value) for number, value in enumerate(memory)],
        began=0.0, ended=20.0, lag_request="",
    )  # fmt: skip
    assert found.memory_growth == pytest.approx(growth)
    assert found.measures()["memory"] == max(memory)


@pytest.mark.parametrize(
    ("factor", "said"),
    [(1.000071, "grew by less than 0.1%"), (1.0123, "grew by 1.23%"), (0.5, "shrank by 50%")],
)
def test_growth_is_told_in_digits_that_mean_something(factor: float, said: str) -> None:
    """A page more or less is nothing to be precise about."""
    assert grown(resources([100 * MB] * 5 + [100 * MB * factor] * 5, [])) == said


def test_too_few_readings_are_no_growth() -> None:
    """A run of a second has no growth to tell, and a target of somebody else's no memory."""
    assert "memory_growth" not in resources([MB, 2 * MB], []).measures()
    assert resources([], []).measures() == {}


def test_long_run_keeps_its_peaks_in_bounded_memory() -> None:
    """Points are joined by the larger value, so that a single late reply is still seen after an hour."""
    track = Track()
    late = {777: 0.5, 1778: 0.6, 20_000: 0.7, 20_055: 0.8}
    for number in range(36_000):
        track.add(number / 10, late.get(number, 0.001))
    assert len(track.points) <= MOST_POINTS
    assert [value for _, value in track.points if value > 0.1] == [0.5, 0.6, 0.7, 0.8]
    assert track.points[-1][0] == 3599.9
    ends = [at for at, _ in track.points]
    assert ends == sorted(ends)
    at = next(at for at, value in track.points if value == 0.5)
    assert 77.7 <= at < 77.7 + 3600 / len(track.points) * 2


def test_resources_go_through_json() -> None:
    """A report holds all of them."""
    found = resources([MB] * 4, [(101.0, 0.002, 200)])
    again = Resources.from_record(found.to_record())
    assert again.measures() == found.measures()
    assert again.to_record() == found.to_record()
