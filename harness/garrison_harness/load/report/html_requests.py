"""What the page says of the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.names import IN_TASKS
from garrison_harness.load.report.markup import table, text
from garrison_harness.load.report.plot.measure import format_bytes
from garrison_harness.load.report.text_requests import PERCENTILES, by_count
from garrison_harness.load.report.text_target import grown
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.load.result import Result
    from garrison_harness.load.tally import Tally
    from garrison_harness.load.watch.resources import Resources


def summary_html(result: Result) -> Iterator[str]:
    """The figures that everybody looks for first.

    Args:
        result: The run.
    """
    account, health = result.outcome.account, result.health
    tally, arrivals = account.tally, account.arrivals
    yield '<dl class="figures">'
    yield _entry("requests", f"{tally.requests:,}", f"in {account.duration:.1f} s")
    yield _entry("rate", f"{account.rate:,.1f}/s", format_bytes(tally.received) if tally.received else "")
    yield _entry("errors", format_share(tally.error_share), f"{tally.errors:,}")
    if tally.limited:
        yield _entry("limited", format_share(tally.limited_share), f"{tally.limited:,} got 429")
    if tally.resent:
        yield _entry("sent again", f"{tally.resent:,}", "closed without a reply")
    for name, value in (result.latency() or {}).items():
        if name in {"p50", "p95", "p99"}:
            yield _entry(name, format_duration(value))
    if arrivals.due:
        yield _entry(
            "late", format_share(arrivals.late / arrivals.due), f"{arrivals.late:,} of {arrivals.due:,}"
        )
        yield _entry("dropped", format_share(arrivals.dropped / arrivals.due), f"{arrivals.dropped:,}")
    ceiling = f", can do {health.ceiling:,.0f}/s here" if health.ceiling else ""
    yield _entry("generator", f"{result.client_cpu:.0%}", f"of a core{ceiling}")
    if result.resources is not None:
        yield from _resources(result.resources)
    yield "</dl>"


def _resources(resources: Resources) -> Iterator[str]:
    measures = resources.measures()
    if (memory := measures.get("memory")) is not None:
        yield _entry("memory of the target", format_bytes(memory), grown(resources))
    if (lag := measures.get("lag_p99")) is not None:
        yield _entry("loop lag, p99", format_duration(lag), f"at most {format_duration(measures['lag_max'])}")


def _entry(name: str, value: str, more: str = "") -> str:
    small = f"<small>{text(more)}</small>" if more else ""
    return f"<div><dt>{text(name)}</dt><dd>{text(value)}{small}</dd></div>"


def requests_html(result: Result) -> Iterator[str]:
    """Tables by name, by tag, of statuses and of errors.

    Args:
        result: The run.
    """
    account = result.outcome.account
    tally = account.tally
    if names := dict(by_count(account)):
        yield "<h2>By name</h2>"
        yield _tallies("name", names)
    if account.tags:
        yield "<h2>By tag</h2>"
        yield _tallies("tag", dict(sorted(account.tags.items())))
    if tally.statuses:
        yield "<h2>Statuses</h2>"
        rows = (
            (str(status), f"{count:,}", format_share(count / tally.requests))
            for status, count in sorted(tally.statuses.items())
        )
        yield table(("status", "replies", "share of the requests"), rows, numbers=(1, 2))
    if tally.kinds:
        yield "<h2>Errors</h2>"
        yield _errors(account.names)


def _tallies(head: str, tallies: Mapping[str, Tally]) -> str:
    heads = (
        head,
        "requests",
        "errors",
        "limited",
        *(f"p{percent:g}" for percent in PERCENTILES),
        "max",
        "mean size",
    )
    return table(heads, (_row(name, tally) for name, tally in tallies.items()), numbers=range(1, len(heads)))


def _row(name: str, tally: Tally) -> list[str]:
    latency = tally.latency
    percents = (*PERCENTILES, 100.0)
    times = (format_duration(latency.quantile(percent)) if latency.total else "" for percent in percents)
    return [
        f"<code>{text(name)}</code>",
        f"{tally.requests:,}",
        f"{tally.errors:,}",
        f"{tally.limited:,}",
        *times,
        format_bytes(tally.received / tally.requests) if tally.requests else "",
    ]


def _errors(names: Mapping[str, Tally]) -> str:
    rows = [
        (
            f"{count:,}",
            text(kind),
            "in tasks" if name == IN_TASKS else f"<code>{text(name)}</code>",
            "<br>".join(f"<code>{text(path)}</code>" for path in tally.examples.get(kind, ())),
        )
        for name, tally in names.items()
        for kind, count in tally.kinds.most_common()
    ]
    rows.sort(key=lambda row: -int(row[0].replace(",", "")))
    return table(("count", "error", "name", "for example"), rows, numbers=(0,))
