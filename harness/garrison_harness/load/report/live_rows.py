"""What a run looks like while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.judging import Evidence, judge
from garrison_harness.load.names import merged
from garrison_harness.load.report.row import fitted
from garrison_harness.load.report.spark import BLOCKS, sparkline
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.account import Account
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.report.row import Row
    from garrison_harness.load.series import Second
    from garrison_harness.load.tally import Tally
    from garrison_harness.load.thresholds import Threshold

RECENT: Final = 5.0
"""What is said of now is about so many seconds."""

_SPARKS: Final = 40
_MOST_THRESHOLDS: Final = 8
_BAR: Final = 24


def clock(seconds: float) -> str:
    """A time as a clock has it: 0:05, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def recent(account: Account) -> tuple[Tally, float]:
    """What came to an end in the last seconds, and how long they were.

    Args:
        account: What was seen so far.
    """
    found: list[Second] = []
    for second in reversed(list(account.series)):
        if found and sum(one.width for one in found) + second.width > RECENT:
            break
        found.append(second)
    return merged(second.tally for second in found), sum(second.width for second in found)


def progress_line(account: Account, plan: Plan) -> str:
    """The run so far in one line, for the log of a job.

    Args:
        account: What was seen so far.
        plan: What the run is to do.
    """
    now, seconds = recent(account)
    tally, arrivals = account.tally, account.arrivals
    rate = now.requests / seconds if seconds else 0.0
    parts = [f"{clock(account.duration)} of {clock(plan.duration)}", f"{rate:,.1f}/s"]
    if now.latency.total:
        parts.append(f"p95 {format_duration(now.latency.quantile(95))}")
    parts.append(f"{tally.errors:,} errors")
    if arrivals.due:
        parts.append(f"{arrivals.late:,} late, {arrivals.dropped:,} dropped")
    return ", ".join(parts)


def live_rows(
    account: Account, plan: Plan, thresholds: Sequence[Threshold], *, levels: str = BLOCKS
) -> Iterator[Row]:
    """The lines of the view.

    Args:
        account: What was seen so far.
        plan: What the run is to do.
        thresholds: What it has to keep.
        levels: The letters of plots, from low to high.
    """
    yield [(f"Load on {plan.base_url}  ", "bold"), *_bar(account.duration, plan.duration, levels)]
    if not len(account.series):
        yield [(f"  {_starting(plan)}", "dim")]
        return
    now, seconds = recent(account)
    latest = list(account.series)[-_SPARKS:]
    rate = now.requests / seconds if seconds else 0.0
    rates = sparkline([second.rate for second in latest], levels=levels)
    yield from _plotted("rate", f"{rate:,.1f}/s", rates)
    slow = [_p95(second.tally) for second in latest]
    p95 = format_duration(now.latency.quantile(95)) if now.latency.total else "-"
    yield from _plotted("p95", p95, sparkline(slow, levels=levels))
    if now.latency.total:
        times = (f"p{percent} {format_duration(now.latency.quantile(percent))}" for percent in (50, 95, 99))
        yield [("  latency   ", "dim"), (f"{'  '.join(times)}  in the last {seconds:.0f} s", "")]
    yield from _counts(account, latest[-1].users, plan.workers)
    yield from _thresholds(account, thresholds)


def _bar(elapsed: float, total: float, levels: str) -> Row:
    done = min(1.0, elapsed / total) if total else 1.0
    filled = round(done * _BAR)
    bar = (levels[-1] * filled, "green"), (levels[0] * (_BAR - filled), "dim")
    return [*bar, (f"  {clock(elapsed)} of {clock(total)}", "")]


def _plotted(label: str, value: str, plot: str) -> Iterator[Row]:
    yield [(f"  {label:<10}", "dim"), (f"{value:>12}  ", "bold"), (plot, "blue")]


def _p95(tally: Tally) -> float | None:
    return tally.latency.quantile(95) if tally.latency.total else None


def _starting(plan: Plan) -> str:
    if plan.bind is not None:
        host, port = plan.bind
        return f"{plan.workers} workers are to come to {host}:{port}, and to get ready"
    return (
        "the load process is starting" if plan.workers == 1 else f"{plan.workers} load processes are starting"
    )


def _counts(account: Account, users: int, workers: int) -> Iterator[Row]:
    tally, arrivals = account.tally, account.arrivals
    errors = f"{tally.errors:,} ({format_share(tally.error_share)})"
    yield [
        ("  users     ", "dim"),
        (f"{users:,}{f' in {workers} load processes' if workers > 1 else ''}", ""),
        ("   requests ", "dim"),
        (f"{tally.requests:,}", ""),
        ("   errors ", "dim"),
        (errors, "bold red" if tally.errors else ""),
    ]
    if tally.statuses:
        told = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
        yield [("  statuses  ", "dim"), (told, "")]
    if arrivals.due:
        told = f"{arrivals.due:,} due, {arrivals.late:,} late, {arrivals.dropped:,} dropped"
        yield [("  arrivals  ", "dim"), (told, "yellow" if arrivals.dropped else "")]


def _thresholds(account: Account, thresholds: Sequence[Threshold]) -> Iterator[Row]:
    # What is measured of the target, or by comparison, is known at the end.
    early = [one for one in thresholds if one.metric.source not in {"target", "comparison"}]
    evidence = Evidence(account=account)
    for threshold in early[:_MOST_THRESHOLDS]:
        judgement = judge(threshold, evidence)
        word, style = ("PASS", "green") if judgement.passed else ("FAIL", "bold red")
        if judgement.actual is None:
            word, style = "----", "dim"
        yield [
            (f"  {word}", style),
            (f"      {fitted(threshold.expression, 40)}  ", ""),
            ("" if judgement.actual is None else judgement.describe(), ""),
        ]
    if (more := len(early) - _MOST_THRESHOLDS) > 0:
        yield [(f"  and {more} more", "dim")]
