"""Plots: where things stand on the paper, and what stays to be read where there is little or much."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from garrison_harness.load.report.plot.across import PERCENTILE, TIME, nines
from garrison_harness.load.report.plot.chart import Chart, Line, Point, unbroken
from garrison_harness.load.report.plot.drawing import HEIGHT, WIDTH, described, draw
from garrison_harness.load.report.plot.measure import LATENCY, MEMORY, RATE, USERS, Measure, mark
from garrison_harness.load.report.plot.path import coordinate, line_path, steps_path
from garrison_harness.load.report.plot.scale import Scale

# Nothing that is measured is shorter than a microsecond, unless it is nothing.
VALUES = st.lists(st.none() | st.just(0.0) | st.floats(min_value=1e-6, max_value=1e9), max_size=30)


def line(*values: float | None, name: str = "one", look: str = "done") -> Line:
    """A value for each second."""
    points = (Point(at=second + 1.0, width=1.0, value=value) for second, value in enumerate(values))
    return Line(name=name, look=look, points=tuple(points))


def chart(*lines: Line, measure: Measure = RATE, stacked: bool = False, end: float = 0.0) -> Chart:
    """A chart that ends with its lines."""
    end = end or max((point.at for one in lines for point in one.points), default=0.0)
    return Chart(
        name="some", title="Some <title>", measure=measure, across=TIME, end=end, lines=lines, stacked=stacked
    )


def drawn(made: Chart) -> Element:
    """The drawing, read back."""
    return fromstring(draw(made))  # noqa: S314 - our own


def found(made: Chart, tag: str, look: str) -> list[Element]:
    """Elements of a class."""
    return [one for one in drawn(made).iter(tag) if look in (one.get("class") or "").split()]


def words(made: Chart, look: str) -> list[str]:
    """What is written in a class."""
    return [one.text or "" for one in found(made, "text", look)]


@pytest.mark.parametrize(
    ("value", "place"), [(0.0, 100.0), (5.0, 50.0), (10.0, 0.0), (20.0, 0.0), (-1.0, 100.0)]
)
def test_a_scale_keeps_to_the_paper(value: float, place: float) -> None:
    """Values go up, and what lies beyond the axis is put at its end."""
    assert Scale(low=0, high=10, start=100, end=0)(value) == place


def test_a_logarithmic_scale_gives_equal_ratios_equal_room() -> None:
    """From 1 to 10 is as far as from 10 to 100."""
    scale = Scale(low=1, high=100, start=0, end=100, logarithmic=True)
    assert [scale(value) for value in (1, 10, 100)] == pytest.approx([0, 50, 100])


@pytest.mark.parametrize(("number", "text"), [(1.0, "1"), (1.25, "1.2"), (-0.01, "0"), (99.96, "100")])
def test_coordinates_are_short(number: float, text: str) -> None:
    """A tenth of a unit is finer than any screen."""
    assert coordinate(number) == text


def test_a_line_of_one_place_is_none() -> None:
    """It takes two to make a line."""
    assert line_path([]) == line_path([(1, 2)]) == ""
    assert line_path([(1, 2), (3, 4.5), (5, 6)]) == "M1 2L3 4.5 5 6"


def test_bars_are_drawn_around_once() -> None:
    """Along their tops and back along their ground, without a corner where nothing turns."""
    assert steps_path([0, 10, 20, 30], [5, 5, 1], [9, 9, 9]) == "M0 5L20 5 20 1 30 1 30 9 0 9Z"
    assert steps_path([], [], []) == ""


def test_gaps_part_a_line() -> None:
    """Nobody draws over what was not measured."""
    made = line(None, 1.0, 2.0, None, None, 3.0, None)
    assert [[value for _, value in part] for part in unbroken(made.points)] == [[1.0, 2.0], [3.0]]
    (path,) = found(chart(made), "path", "line")
    assert (path.get("d") or "").count("M") == 2


@settings(max_examples=25, deadline=None)
@given(values=VALUES)
def test_whatever_was_measured_is_drawn_on_the_paper(values: list[float | None]) -> None:
    """No coordinate lies outside, and none is no number."""
    for measure in (RATE, LATENCY, MEMORY, USERS):
        for stacked in (False, True):
            made = chart(line(*values), line(*reversed(values), name="two"), measure=measure, stacked=stacked)
            svg = drawn(made)
            for path in svg.iter("path"):
                numbers = [float(one) for one in re.findall(r"-?[\d.]+", path.get("d") or "")]
                assert all(0 <= number <= WIDTH for number in numbers), path.get("d")
            for circle in svg.iter("circle"):
                assert 0 <= float(circle.get("cx") or -1) <= WIDTH
                assert 0 <= float(circle.get("cy") or -1) <= HEIGHT


def test_a_single_interval_is_as_long_as_it_was() -> None:
    """A run of one second shows a line from its begin to its end."""
    (path,) = found(chart(line(5.0)), "path", "line")
    assert path.get("d") == "M48 26L390 26"


def test_a_lone_value_among_many_is_a_dot() -> None:
    """A line of no length would not be seen."""
    values = [None] * 300 + [5.0] + [None] * 299
    assert len(found(chart(line(*values)), "circle", "dot")) == 1


def test_nothing_measured_is_said() -> None:
    """Axes without a line would look like a fault of the report."""
    for made in (chart(), chart(line()), chart(line(None, None))):
        assert words(made, "nothing") == ["nothing was measured"]
        assert found(made, "path", "line") == []
    assert words(chart(line(0.0)), "nothing") == []


def test_axes_have_units_and_round_marks() -> None:
    """Milliseconds where that reads best, and seconds since the first user."""
    made = chart(line(0.0021, 0.0149), measure=LATENCY)
    assert words(made, "name") == ["ms"]
    assert words(made, "up") == ["0", "5", "10", "15"]
    assert words(made, "across") == ["0", "0.5", "1", "1.5", "2"]
    assert words(made, "end") == ["seconds since the first user"]


def test_latencies_far_apart_are_told_apart() -> None:
    """A stall of a second leaves the usual millisecond to be seen, on an axis that says so."""
    made = chart(line(0.001, 0.9), measure=LATENCY)
    assert words(made, "name") == ["ms, logarithmic"]
    assert words(made, "up") == ["1", "10", "100", "1k"]


def test_rates_are_never_logarithmic() -> None:
    """Twice as high is twice as much."""
    assert words(chart(line(1.0, 9000.0)), "name") == ["requests/s"]


def test_bands_stand_on_each_other() -> None:
    """The second begins where the first ends, and the axis goes up to their sum."""
    made = chart(line(1.0, 2.0), line(3.0, None, name="two", look="bad"), stacked=True)
    assert made.stacks() == [[0.0, 0.0], [1.0, 2.0], [4.0, 2.0]]
    assert words(made, "up") == ["0", "1", "2", "3", "4"]
    assert [one.get("class") for one in found(made, "path", "band")] == ["band done", "band bad"]


def test_the_most_important_line_is_on_top() -> None:
    """What comes first is drawn last."""
    made = chart(line(1.0, 2.0), line(1.0, 2.0, look="due"))
    assert [one.get("class") for one in found(made, "path", "line")] == ["line due", "line done"]


def test_who_cannot_see_a_plot_is_told() -> None:
    """A title, and the range of each line; markup in names stays text."""
    made = chart(line(1.0, 2.0), line(None, name="<two>"), line(3.0, name="three"))
    svg = drawn(made)
    texts = {one.get("id"): one.text for one in svg}
    assert (svg.get("role"), svg.get("aria-labelledby")) == ("img", "some-title some-desc")
    assert texts["some-title"] == "Some <title>"
    assert texts["some-desc"] == "one 1 to 2; <two> not measured; three 3."
    assert described(chart()) == "Nothing was measured."


def test_the_numbers_behind_a_plot() -> None:
    """Each place with the value of every line, also where lines have places of their own."""
    other = Line(name="two", look="bad", points=(Point(at=1.5, value=7.0), Point(at=2.0, value=8.0)))
    rows = list(chart(line(1.0, None), other).rows())
    assert rows == [(1.0, [1.0, None]), (1.5, [None, 7.0]), (2.0, [None, 8.0])]


@pytest.mark.parametrize(("percent", "place"), [(0.0, 0.0), (90.0, 1.0), (99.0, 2.0), (99.9, 3.0)])
def test_each_nine_of_a_percentile_has_the_same_room(percent: float, place: float) -> None:
    """And is written as the percentile that it is."""
    assert nines(percent) == pytest.approx(place)
    assert PERCENTILE.written(nines(percent)) == f"{percent:g}"


def test_the_last_percentile_has_no_place() -> None:
    """It would be endlessly far right."""
    with pytest.raises(ValueError, match="less than 100"):
        nines(100)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (0.05, "0.05"), (999.0, "999"), (1500.0, "1.5k"), (2e6, "2M"), (3e9, "3G")],
)
def test_marks_are_short(number: float, text: str) -> None:
    """They stand left of the plot, where there is little room."""
    assert mark(number) == text


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        (MEMORY, 122.4e6, "122 MB"),
        (MEMORY, 12.0, "12 bytes"),
        (RATE, 0.25, "0.25"),
        (RATE, 12345.6, "12,346"),
        (USERS, 3.0, "3"),
    ],
)
def test_values_are_written_for_people(measure: Measure, value: float, text: str) -> None:
    """Three digits are enough, and the unit is one that people use."""
    assert measure.written(value) == text
