"""The marks of axes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.report.plot.ticks import log_ticks, round_ticks, time_ticks, time_unit

SIZES = st.floats(min_value=1e-9, max_value=1e12, allow_subnormal=False)


def mantissa(step: float) -> float:
    """A step without its power of ten."""
    return float(f"{step:e}".split("e")[0])


@given(highest=SIZES, most=st.integers(min_value=1, max_value=10))
def test_marks_are_round_few_and_reach_the_highest_value(highest: float, most: int) -> None:
    """From zero, in equal steps of 1, 2 or 5 of some power of ten, and no step more than needed."""
    ticks = round_ticks(highest, most=most)
    step = ticks.values[1]

    assert ticks.values[0] == 0
    assert mantissa(step) in {1, 2, 5}
    assert 1 <= len(ticks.values) - 1 <= most
    assert ticks.high == ticks.values[-1] >= highest
    assert ticks.values[-2] < highest
    assert all(f"{value / step:.6f}".endswith(".000000") for value in ticks.values)


@given(highest=SIZES)
def test_no_mark_shows_what_a_float_cannot_hold(highest: float) -> None:
    """0.3 stands at the axis, never 0.30000000000000004."""
    step = round_ticks(highest).values[1]

    assert [value for value in round_ticks(highest).values if float(f"{value:.3g}") != value] == []
    assert len(repr(step).split("e")[0].strip("0.")) == 1


@given(highest=st.integers(min_value=1, max_value=10**9))
def test_counts_have_whole_marks(highest: int) -> None:
    """There is no half of a user."""
    assert all(value == int(value) for value in round_ticks(highest, whole=True).values)


@pytest.mark.parametrize("highest", [0.0, -1.0])
def test_an_axis_of_nothing_goes_up_to_one(highest: float) -> None:
    """It is drawn all the same."""
    assert round_ticks(highest).values == (0, 1)
    assert time_ticks(highest).values == (0, 1)


@given(end=st.floats(min_value=0.001, max_value=30 * 86400))
def test_time_is_marked_as_clocks_count_and_ends_where_the_run_ends(end: float) -> None:
    """No mark lies beyond the end, and there are at least two and at most seven of them."""
    ticks = time_ticks(end)
    step = ticks.values[1] if len(ticks.values) > 1 else end

    assert ticks.high == end
    assert ticks.values[-1] <= end
    assert end - ticks.values[-1] < step * (1 + 1e-9)
    assert 2 <= len(ticks.values) <= 7


@pytest.mark.parametrize(
    ("end", "marks", "unit"),
    [
        (60.0, (0, 10, 20, 30, 40, 50, 60), "seconds"),
        (7.02, (0, 2, 4, 6), "seconds"),
        (0.5, (0, 0.1, 0.2, 0.3, 0.4, 0.5), "seconds"),
        (600.0, (0, 120, 240, 360, 480, 600), "minutes"),
        (3600.0, (0, 600, 1200, 1800, 2400, 3000, 3600), "minutes"),
        (5 * 3600.0, (0, 3600, 7200, 10800, 14400, 18000), "hours"),
    ],
)
def test_marks_of_usual_times(end: float, marks: tuple[float, ...], unit: str) -> None:
    """Ten seconds, two minutes, an hour: never 16.7 s."""
    assert time_ticks(end).values == marks
    assert time_unit(end)[1] == unit


@given(lowest=SIZES, ratio=st.floats(min_value=1.0, max_value=1e9))
def test_logarithmic_marks_hold_all_values(lowest: float, ratio: float) -> None:
    """They go up by round numbers, and the axis has little room to spare on both sides."""
    highest = lowest * ratio
    ticks = log_ticks(lowest, highest)

    assert ticks.low <= lowest < ticks.low * 2.51
    assert highest <= ticks.high
    assert ticks.high <= max(highest, ticks.low * 1.01) * 2.51
    assert mantissa(ticks.low) in {1, 2, 5}
    assert mantissa(ticks.high) in {1, 2, 5}
    assert ticks.low <= ticks.values[0] < ticks.values[-1] <= ticks.high
    assert list(ticks.values) == sorted(set(ticks.values))
    assert all(mantissa(value) in {1, 2, 5} for value in ticks.values)
    assert len(ticks.values) <= 13


@pytest.mark.parametrize(("lowest", "highest"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0)])
def test_a_logarithmic_axis_has_no_zero(lowest: float, highest: float) -> None:
    """Who asks for one has made a mistake."""
    with pytest.raises(ValueError, match="a logarithmic axis goes up from above zero"):
        log_ticks(lowest, highest)
