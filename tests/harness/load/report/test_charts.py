"""What the plots of a run show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.delta import Delta
from garrison_harness.load.report import charts
from garrison_harness.load.report.over_time import intervals, over_time
from garrison_harness.load.report.plot.across import PERCENTILE
from garrison_harness.load.report.status_classes import by_class, class_of
from garrison_harness.load.series import Second, Series
from garrison_harness.load.tally import Tally
from tests.harness.load.report.recorded import account, delta

if TYPE_CHECKING:
    from garrison_harness.load.report.plot.chart import Line


def series(*ends: float, width: float = 1.0) -> Series:
    """Intervals that end then, with a request each."""
    made = Series()
    for end in ends:
        tally = Tally()
        tally.reply(0.001, status=200)
        made.add(Second(at=end, width=width, tally=tally))
    return made


def values(line: Line) -> list[float | None]:
    """What a line shows."""
    return [point.value for point in line.points]


def test_an_interval_without_news_is_a_gap() -> None:
    """Where the run tells nothing, nothing is drawn, and the places around it stay where they are."""
    line = over_time(series(1, 2, 5), "requests", "done", lambda second: second.rate)
    assert [(point.at, point.value) for point in line.points] == [(1, 1), (2, 1), (4, None), (5, 1)]


def test_a_short_rest_is_told_with_the_interval_before() -> None:
    """Two requests in a third of a second are no rate of six."""
    made = series(1, 2)
    rest = Tally()
    rest.reply(0.002, status=200)
    made.add(Second(at=2.3, width=0.3, tally=rest))
    told = intervals(made)
    assert [(second.at, second.tally.requests) for second in told] == [(1, 1), (2.3, 2)]
    assert [second.tally.requests for second in made] == [1, 1, 1]


def test_one_short_interval_alone_is_told() -> None:
    """There is nothing to tell it with."""
    assert [second.at for second in intervals(series(0.1, width=0.1))] == [0.1]
    assert intervals(Series()) == []


def test_rate_has_what_was_due_in_the_open_model_only() -> None:
    """A closed model asks for nothing in particular."""
    opened, closed = account(3), account(3, open_model=False)
    assert [line.name for line in charts.rate_chart(opened).lines][:2] == ["requests", "arrivals due"]
    assert "arrivals due" not in [line.name for line in charts.rate_chart(closed).lines]


def test_errors_are_drawn_where_there_are_any() -> None:
    """They have a line of their own beside the requests, per second as well."""
    made = Account()
    for at in (1.0, 2.0):
        tally = Tally()
        tally.reply(0.001, status=200)
        if at > 1:
            tally.reply(0.001, status=500, error="HTTP 500")
        made.add(Delta(at=at, width=1.0, names={"GET /": tally}))
    requests, errors = charts.rate_chart(made).lines
    assert (values(requests), values(errors)) == ([1, 2], [0, 1])
    assert [line.name for line in charts.rate_chart(account(0)).lines] == ["requests"]


def test_latency_has_a_gap_where_no_request_ended() -> None:
    """Nought would be the best of all latencies."""
    made = account(2)
    made.add(Delta(at=3.0, width=1.0))
    lines = charts.latency_chart(made).lines
    assert [line.name for line in lines] == ["p50", "p95", "p99"]
    assert all(values(line)[2] is None for line in lines)
    assert all(value is not None and value > 0 for line in lines for value in values(line)[:2])


def test_percentiles_keep_their_order() -> None:
    """The 99th is never below the 95th, nor that below the median."""
    p50, p95, p99 = (values(line) for line in charts.latency_chart(account(20)).lines)
    for low, middle, high in zip(p50, p95, p99, strict=True):
        assert low is not None
        assert middle is not None
        assert high is not None
        assert low <= middle <= high


def test_statuses_add_up_to_the_rate() -> None:
    """No request is in no class, and the worst class stands on the ground."""
    made = account(30)
    chart = charts.status_chart(made)
    rates = [second.rate for second in made.series]
    assert chart.stacks()[-1] == pytest.approx(rates)
    assert [chart.lines[0].name, chart.lines[-1].name] == ["no reply", "2xx"]


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "no reply"),
        (101, "1xx and 3xx"),
        (204, "2xx"),
        (304, "1xx and 3xx"),
        (404, "other 4xx"),
        (429, "429 too many requests"),
        (500, "other 5xx"),
        (503, "503 unavailable"),
    ],
)
def test_statuses_are_sorted_by_what_they_mean(status: int, name: str) -> None:
    """A refusal in order is told from an error, and a full target from a broken one."""
    assert class_of(status).name == name


def test_requests_without_a_status_had_no_reply() -> None:
    """Nobody else counts them."""
    tally = Tally()
    tally.reply(0.1, status=200)
    tally.reply(0.1, status=0, error="ConnectionResetError")
    assert {kind.name: count for kind, count in by_class(tally).items()} == {"2xx": 1, "no reply": 1}


def test_requests_of_another_protocol_are_no_missing_replies() -> None:
    """A WebSocket message has no status, and is well all the same unless it failed."""
    tally = Tally()
    for _ in range(3):
        tally.reply(0.1, status=0)
    tally.reply(0.1, status=0, error="ConnectionResetError")
    tally.reply(0.1, status=500, error="HTTP 500")
    tally.task_error("in a task: KeyError")
    found = {kind.name: count for kind, count in by_class(tally).items()}
    assert found == {"not HTTP": 3, "other 5xx": 1, "no reply": 1}


def test_the_spread_ends_where_there_are_requests_to_tell() -> None:
    """Of a hundred requests no 99.9th percentile is drawn: it would be the slowest once more."""
    made = Account()
    tally = Tally()
    for number in range(1, 101):
        tally.reply(number / 1000, status=200)
    made.add(Delta(at=1.0, width=1.0, names={"GET /": tally}))
    (line,) = charts.spread_chart((("this run", made),)).lines
    told = {PERCENTILE.written(point.at): point.value for point in line.points}
    assert (min(told, key=float), max(told, key=float)) == ("0", "99")
    assert told["0"] == 0.001
    assert told["50"] == pytest.approx(0.050, rel=0.001)
    assert told["99"] == pytest.approx(0.099, rel=0.001)


def test_two_variants_lie_over_each_other() -> None:
    """Each has its own line, and the axis ends with the longer one."""
    sides = (("this run", account(4)), ("bare", account(6, seed=3)))
    for made in (charts.compared_rate(sides), charts.compared_latency(sides), charts.spread_chart(sides)):
        assert [line.name for line in made.lines] == ["this run", "bare"]
        assert [line.look for line in made.lines] == ["this", "other"]
    assert charts.compared_rate(sides).end == 6


def test_the_target_is_shown_while_load_ran() -> None:
    """What it used before and afterwards is no part of the run."""
    chart = charts.memory_chart([(-1.0, 1e6), (0.0, 2e6), (5.0, 3e6), (9.0, 4e6)], 6.0)
    assert values(chart.lines[0]) == [2e6, 3e6]


def test_a_long_run_is_drawn_in_bounded_space() -> None:
    """An hour makes no larger a page than ten minutes."""
    made = Account()
    for second in range(1, 1301):
        made.add(delta(float(second), rate=4))
    assert len(charts.rate_chart(made).lines[0].points) <= 600
