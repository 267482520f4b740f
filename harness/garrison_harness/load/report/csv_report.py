"""The run as the four CSV files that Locust writes, for what reads those.

The columns are Locust's. Times are in milliseconds, as Locust has them, but exact to the microsecond. A row
of the history is about its own interval, as with Locust's `--csv-full-history`, unless its column begins
with `Total`.
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from garrison_harness.load.histogram import MICROSECONDS
from garrison_harness.load.names import IN_TASKS, OTHER_REQUESTS
from garrison_harness.load.report.over_time import per_second
from garrison_harness.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from garrison_harness.load.account import Account
    from garrison_harness.load.histogram import Histogram
    from garrison_harness.load.result import Result

    Cell = str | int | float

_PERCENTS: Final = (50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100)
_PERCENTILES: Final = tuple(f"{percent:g}%" for percent in _PERCENTS)
_STATS: Final = (
    "Type", "Name", "Request Count", "Failure Count", "Median Response Time", "Average Response Time",
    "Min Response Time", "Max Response Time", "Average Content Size", "Requests/s", "Failures/s",
    *_PERCENTILES,
)  # fmt: skip
_HISTORY: Final = (
    "Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s", *_PERCENTILES,
    "Total Request Count", "Total Failure Count", "Total Median Response Time", "Total Average Response Time",
    "Total Min Response Time", "Total Max Response Time", "Total Average Content Size",
)  # fmt: skip
_FAILURES: Final = ("Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen")
_EXCEPTIONS: Final = ("Count", "Message", "Traceback", "Nodes")
_ALL: Final = "Aggregated"
_ABSENT: Final = "N/A"


def render(result: Result, suffix: str) -> str:
    """The content of one of the files.

    Args:
        result: The run.
        suffix: What the name of the file ends with, one of `CSV_SUFFIXES`.
    """
    account = result.outcome.account
    match suffix:
        case "_stats.csv":
            return _written(_STATS, _stats(account))
        case "_stats_history.csv":
            return _written(_HISTORY, _history(account, result.started))
        case "_failures.csv":
            return _written(_FAILURES, _failures(account, result.started))
    return _written(_EXCEPTIONS, _exceptions(account))


def _written(heads: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(heads)
    writer.writerows(rows)
    return page.getvalue()


def _by_name(account: Account) -> list[tuple[str, str, Tally]]:
    """Method, name and tally of each kind of request, in the order of Locust: by name."""
    found = []
    for key, tally in account.names.items():
        if key == OTHER_REQUESTS:
            found.append(("", key, tally))
        elif key != IN_TASKS:
            method, _, name = key.partition(" ")
            found.append((method, name, tally))
    return sorted(found, key=lambda one: (one[1], one[0]))


def _whole(account: Account) -> Tally:
    whole = Tally()
    for _, _, tally in _by_name(account):
        whole.merge(tally)
    return whole


def _stats(account: Account) -> Iterator[list[Cell]]:
    for method, name, tally in [*_by_name(account), ("", _ALL, _whole(account))]:
        yield [
            method,
            name,
            *_sums(tally),
            *(
                count / account.duration if account.duration else 0.0
                for count in (tally.requests, tally.errors)
            ),
            *_percentiles(tally.latency),
        ]


def _sums(tally: Tally) -> Iterator[Cell]:
    """Counts, times and size, as both files have them in a row."""
    latency = tally.latency
    yield tally.requests
    yield tally.errors
    yield _milliseconds(latency.quantile(50)) if latency.total else 0
    yield _milliseconds(latency.mean()) if latency.total else 0
    yield _milliseconds(latency.min / MICROSECONDS)
    yield _milliseconds(latency.max / MICROSECONDS)
    yield tally.received / tally.requests if tally.requests else 0


def _percentiles(latency: Histogram) -> list[Cell]:
    if not latency.total:
        return [_ABSENT] * len(_PERCENTS)
    return [_milliseconds(latency.quantile(percent)) for percent in _PERCENTS]


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _history(account: Account, started: datetime) -> Iterator[list[Cell]]:
    so_far = Tally()
    for second in account.series:
        tally = second.tally
        so_far.merge(tally)
        # What tasks raised is told among the exceptions.
        so_far.errors -= tally.task_errors
        yield [
            int((started + timedelta(seconds=second.at)).timestamp()),
            second.users,
            "",
            _ALL,
            f"{second.rate:2f}",
            f"{per_second(tally.errors - tally.task_errors, second):2f}",
            *_percentiles(tally.latency),
            *_sums(so_far),
        ]


def _failures(account: Account, started: datetime) -> Iterator[list[Cell]]:
    """A kind of error by name; when it was seen is told by the second, for all names together."""
    seen: dict[str, tuple[float, float]] = {}
    for second in account.series:
        for kind in second.tally.kinds:
            seen[kind] = (seen.get(kind, (second.at, 0.0))[0], second.at)
    for method, name, tally in _by_name(account):
        for kind, count in tally.kinds.most_common():
            times = (_moment(started, at) for at in seen.get(kind, ()))
            yield [method, name, kind, count, *times]


def _moment(started: datetime, at: float) -> str:
    return f"{started + timedelta(seconds=at):%Y-%m-%dT%H:%M:%SZ}"


def _exceptions(account: Account) -> Iterator[list[Cell]]:
    tasks = account.names.get(IN_TASKS)
    for kind, count in tasks.kinds.most_common() if tasks else ():
        # The traceback is in the log of the load process.
        yield [count, kind, "", "local"]
