"""The result of a run as people read it, in 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.result import Result

BUSY_CLIENT = 0.9
"""Share of a core from which on the load process itself may be what is slow; Locust warns there too."""

_SHOWN_KINDS = 5


def render(result: Result) -> str:
    """The report, ending with a newline."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    plan, report = result.plan, result.outcome.report
    tally = report.tally
    yield f"Load on {result.target} at {plan.base_url}"
    yield f"  asked     {_asked(result)}"
    yield f"  requests  {tally.requests:,} in {report.duration:.1f} s, {result.rate:,.1f}/s"
    yield f"  errors    {tally.errors:,} ({format_share(tally.error_share)})"
    for kind, count in tally.kinds.most_common(_SHOWN_KINDS):
        yield from _wrapped(f"{count:,} {kind}{_examples(kind, tally.examples.get(kind, ()))}")
    if tally.limited:
        yield f"  limited   {tally.limited:,} ({format_share(tally.limited_share)}) got 429"
    if tally.statuses:
        statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(tally.statuses.items()))
        yield f"  statuses  {statuses}"
    if latency := result.latency():
        shown = [f"{name.replace('_', '.')} {format_duration(value)}" for name, value in latency.items()]
        yield f"  latency   {'  '.join(shown[:4])}"
        yield f"            {'  '.join(shown[4:])}"
    plural = "es" if report.addresses > 1 else ""
    addresses = f", {report.addresses} source address{plural}" if report.addresses else ""
    yield f"  client    {result.client_cpu:.0%} of one core{addresses}"
    if result.client_cpu >= BUSY_CLIENT:
        yield from _wrapped("the client was busy: latencies may be its own, and the target may do more")
    yield ""
    yield from _verdict(result)


def _examples(kind: str, paths: Sequence[str]) -> str:
    # The locustfile that ships names the path itself.
    others = [path for path in paths if path not in kind]
    return f": {', '.join(others)}" if others else ""


def _wrapped(text: str) -> list[str]:
    # No path is broken at its hyphens.
    return textwrap.wrap(
        text, width=80, initial_indent=" " * 12, subsequent_indent=" " * 14, break_on_hyphens=False
    )


def _asked(result: Result) -> str:
    plan = result.plan
    users = f"{plan.users} user{'s' if plan.users > 1 else ''} for {plan.duration:g} s"
    if plan.locustfile:
        return f"{users} of {plan.locustfile}"
    if plan.rate is None:
        return f"{users}, as fast as the replies come"
    return f"{users}, {plan.rate:g} requests/s together"


def _verdict(result: Result) -> Iterator[str]:
    width = max(len(judgement.threshold.expression) for judgement in result.judgements)
    for judgement in result.judgements:
        word = "PASS" if judgement.passed else "FAIL"
        yield f"{word}  {judgement.threshold.expression:<{width}}  {judgement.describe()}"
    missed = sum(not judgement.passed for judgement in result.judgements)
    count = len(result.judgements)
    if result.reason:
        yield textwrap.fill(f"{result.verdict.upper()}: {result.reason}", width=80, subsequent_indent="  ")
    elif missed:
        yield f"FAILED: {missed} of {count} threshold{'s' if count > 1 else ''} missed"
    else:
        yield f"PASSED: {count} threshold{'s' if count > 1 else ''} kept"
