"""The plots of a run: rate, latency, statuses and users over time, and how latencies are spread."""

from __future__ import annotations

from decimal import Decimal
from math import log10
from typing import TYPE_CHECKING, Final

from garrison_harness.load.histogram import MICROSECONDS
from garrison_harness.load.report.over_time import over_time, per_second
from garrison_harness.load.report.plot.across import PERCENTILE, TIME, nines
from garrison_harness.load.report.plot.chart import Chart, Line, Point
from garrison_harness.load.report.plot.measure import LATENCY, MEMORY, RATE, USERS
from garrison_harness.load.report.status_classes import by_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from garrison_harness.load.account import Account
    from garrison_harness.load.histogram import Histogram
    from garrison_harness.load.report.plot.measure import Measure
    from garrison_harness.load.report.status_classes import StatusClass
    from garrison_harness.load.series import Second

PERCENTILES: Final = (("p50", 50.0), ("p95", 95.0), ("p99", 99.0))
"""What is drawn over time, by its name and in percent."""

_MOST_NINES: Final = 6

Sides = tuple[tuple[str, "Account"], ...]
"""Runs that are drawn over each other, by name; the first is the one that the report is about."""

_SIDES: Final = ("this", "other")


def rate_chart(account: Account) -> Chart:
    """Requests per second, beside how many were due in the open model, and how many failed."""
    series = account.series
    lines = [over_time(series, "requests", "done", lambda second: second.rate)]
    if account.arrivals.due:
        due = over_time(series, "arrivals due", "due", lambda second: per_second(second.arrivals.due, second))
        lines.append(due)
    if any(second.tally.errors for second in series):
        bad = over_time(series, "errors", "bad", lambda second: per_second(second.tally.errors, second))
        lines.append(bad)
    return Chart(
        name="rate", title="Rate", measure=RATE, across=TIME, end=account.duration, lines=tuple(lines)
    )


def latency_chart(account: Account) -> Chart:
    """Percentiles of the requests that ended in each interval."""
    lines = [over_time(account.series, name, name, _percentile(percent)) for name, percent in PERCENTILES]
    return Chart(
        name="latency",
        title="Latency",
        measure=LATENCY,
        across=TIME,
        end=account.duration,
        lines=tuple(lines),
    )


def _percentile(percent: float) -> Callable[[Second], float | None]:
    def value(second: Second) -> float | None:
        latency = second.tally.latency
        return latency.quantile(percent) if latency.total else None

    return value


def status_chart(account: Account) -> Chart:
    """What became of the requests of each interval."""
    # The worst stands on the ground, where its height can be read.
    kinds = reversed(by_class(account.tally))
    lines = [over_time(account.series, kind.name, kind.look, _share_of(kind)) for kind in kinds]
    return Chart(
        name="statuses",
        title="Statuses",
        measure=RATE,
        across=TIME,
        end=account.duration,
        lines=tuple(lines),
        stacked=True,
    )


def _share_of(kind: StatusClass) -> Callable[[Second], float]:
    def value(second: Second) -> float:
        return per_second(by_class(second.tally).get(kind, 0), second)

    return value


def users_chart(account: Account) -> Chart:
    """Users at the end of each interval."""
    line = over_time(account.series, "users", "done", lambda second: float(second.users))
    return Chart(name="users", title="Users", measure=USERS, across=TIME, end=account.duration, lines=(line,))


def spread_chart(sides: Sides) -> Chart:
    """How latencies are spread: from the fastest to the slowest, the slow ones in detail."""
    lines = [
        Line(name=name, look=look, points=tuple(_spread(account.tally.latency)))
        for look, (name, account) in zip(_SIDES, sides, strict=False)
    ]
    end = max((point.at for line in lines for point in line.points), default=0.0)
    return Chart(
        name="spread",
        title="Latency by percentile",
        measure=LATENCY,
        across=PERCENTILE,
        end=end,
        lines=tuple(lines),
    )


def _spread(latency: Histogram) -> Iterator[Point]:
    if not latency.total:
        return
    yield Point(at=0.0, value=latency.min / MICROSECONDS)
    for percent in _percents():
        place = nines(percent)
        # Beyond, the percentile is but the slowest request again.
        if place > log10(latency.total) + 1e-9:
            return
        yield Point(at=place, value=latency.quantile(percent))


def _percents() -> Iterator[float]:
    """10, 20 ... 90, 91 ... 99, 99.1 and so on."""
    for power in range(_MOST_NINES):
        for step in range(1, 10):
            rest = Decimal(10 - step).scaleb(1 - power)
            yield float(100 - rest)


def _over_each_other(
    name: str, title: str, measure: Measure, sides: Sides, value: Callable[[Second], float | None]
) -> Chart:
    lines = [
        over_time(account.series, side, look, value)
        for look, (side, account) in zip(_SIDES, sides, strict=False)
    ]
    end = max(account.duration for _, account in sides)
    return Chart(name=name, title=title, measure=measure, across=TIME, end=end, lines=tuple(lines))


def compared_rate(sides: Sides) -> Chart:
    """The rate of two runs over each other."""
    return _over_each_other("compared-rate", "Rate of both", RATE, sides, lambda second: second.rate)


def compared_latency(sides: Sides) -> Chart:
    """The 95th percentile of two runs over each other."""
    return _over_each_other("compared-latency", "p95 of both", LATENCY, sides, _percentile(95))


def lag_chart(points: Sequence[tuple[float, float]], end: float) -> Chart:
    """How long the target took for a trivial reply, or its loop for a turn.

    Args:
        points: Seconds since the first user, and the lag in seconds.
        end: How long the run took, in seconds.
    """
    return _of_target("lag", "Loop lag of the target", LATENCY, points, end)


def memory_chart(points: Sequence[tuple[float, float]], end: float) -> Chart:
    """What the target held in memory.

    Args:
        points: Seconds since the first user, and bytes.
        end: How long the run took, in seconds.
    """
    return _of_target("memory", "Memory of the target", MEMORY, points, end)


def _of_target(
    name: str, title: str, measure: Measure, points: Sequence[tuple[float, float]], end: float
) -> Chart:
    # What was seen before the first user and after the last one is no part of the run.
    seen = tuple(Point(at=at, value=value) for at, value in points if 0 <= at <= end)
    line = Line(name=title, look="done", points=seen)
    return Chart(name=name, title=title, measure=measure, across=TIME, end=end, lines=(line,))
