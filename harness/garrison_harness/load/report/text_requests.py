"""What the report says of the requests: how many, what became of them, how long they took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.names import IN_TASKS
from garrison_harness.load.report.asked import asked, several
from garrison_harness.load.report.plot.measure import format_bytes
from garrison_harness.load.report.row import fitted, further, labelled
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.account import Account
    from garrison_harness.load.report.row import Row
    from garrison_harness.load.result import Result
    from garrison_harness.load.tally import Tally

MOST_NAMES: Final = 10
"""Names of requests that are told one by one in text; the other forms have all of them."""

PERCENTILES: Final = (50.0, 95.0, 99.0)
"""What is told of each name."""

_SHOWN_KINDS: Final = 5
_NAME: Final = 33


def request_rows(result: Result) -> Iterator[Row]:
    """All that concerns requests, and the generator that made them.

    Args:
        result: The run.
    """
    plan, account = result.plan, result.outcome.account
    tally = account.tally
    yield from labelled("at", plan.base_url)
    yield from labelled("asked", asked(plan))
    yield from labelled("requests", _requests(account, tally))
    if account.arrivals.due:
        yield from labelled("arrivals", arrivals_in_words(account))
    yield from _errors(tally)
    if tally.limited:
        yield from labelled("limited", f"{tally.limited:,} ({format_share(tally.limited_share)}) got 429")
    if tally.resent:
        times = several(tally.resent, "time")
        yield from labelled("resent", f"{times}: the connection closed without a reply", "yellow")
    if tally.statuses:
        statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
        yield from labelled("statuses", statuses)
    if latency := result.latency():
        shown = [f"{name.replace('_', '.')} {format_duration(value)}" for name, value in latency.items()]
        yield [*labelled("latency", "")[0][:1], ("  ".join(shown[:4]), "")]
        yield [(" " * 12, ""), ("  ".join(shown[4:]), "")]
    yield from _client(result)


def _requests(account: Account, tally: Tally) -> str:
    size = f", {format_bytes(tally.received)} received" if tally.received else ""
    return f"{tally.requests:,} in {account.duration:.1f} s, {account.rate:,.1f}/s{size}"


def arrivals_in_words(account: Account) -> str:
    """What became of the arrivals, one line.

    Args:
        account: Of a run of the open model.
    """
    arrivals = account.arrivals
    late, dropped = (format_share(count / arrivals.due) for count in (arrivals.late, arrivals.dropped))
    return f"{arrivals.due:,} due, {arrivals.late:,} late ({late}), {arrivals.dropped:,} dropped ({dropped})"


def _errors(tally: Tally) -> Iterator[Row]:
    style = "red" if tally.errors else ""
    yield from labelled("errors", f"{tally.errors:,} ({format_share(tally.error_share)})", style)
    for kind, count in tally.kinds.most_common(_SHOWN_KINDS):
        yield from further(f"{count:,} {kind}{_examples(kind, tally.examples.get(kind, ()))}")
    if (more := len(tally.kinds) - _SHOWN_KINDS) > 0:
        yield from further(f"and {several(more, 'more kind')}")


def _examples(kind: str, paths: Sequence[str]) -> str:
    # The locustfile that ships names the path itself.
    others = [path for path in paths if path not in kind]
    return f": {', '.join(others)}" if others else ""


def _client(result: Result) -> Iterator[Row]:
    account, health = result.outcome.account, result.health
    plural = "es" if account.addresses > 1 else ""
    addresses = f", {account.addresses:,} source address{plural}" if account.addresses else ""
    ceiling = f", can do {health.ceiling:,.0f}/s here" if health.ceiling else ""
    workers = result.plan.workers
    processes = f" in {workers} load processes" if workers > 1 else ""
    text = f"{result.client_cpu:.0%} of one core{processes}{ceiling}{addresses}"
    yield from labelled("client", text)
    for line in health.reasons:
        yield from further(line, "yellow")
    for line in health.notes:
        yield from further(line)


def by_count(account: Account) -> list[tuple[str, Tally]]:
    """Kinds of request, the most frequent first, without what is no request.

    Args:
        account: What was seen.
    """
    found = [(name, tally) for name, tally in account.names.items() if name != IN_TASKS]
    return sorted(found, key=lambda one: -one[1].requests)


def name_rows(account: Account) -> Iterator[Row]:
    """A line for each of the most frequent kinds of request, where there are several.

    Args:
        account: What was seen.
    """
    names = by_count(account)
    if len(names) < 2:
        return
    heads = "".join(f"{head:>9}" for head in ("errors", *(f"p{percent:g}" for percent in PERCENTILES)))
    yield []
    yield [(f"  {'by name':<{_NAME}}{'requests':>9}{heads}", "dim")]
    for name, tally in names[:MOST_NAMES]:
        latency = tally.latency
        times = (
            format_duration(latency.quantile(percent)) if latency.total else "" for percent in PERCENTILES
        )
        yield [
            (f"  {fitted(name, _NAME - 1)} {tally.requests:>9,}", ""),
            (f"{tally.errors:>9,}", "red" if tally.errors else ""),
            ("".join(f"{time:>9}" for time in times), ""),
        ]
    if (more := len(names) - MOST_NAMES) > 0:
        yield [(f"  and {several(more, 'more name')}", "dim")]
