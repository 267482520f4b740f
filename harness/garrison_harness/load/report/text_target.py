"""What the report says of the target: its resources, hardening under load, and another variant of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.compare.table import lines as comparison_lines
from garrison_harness.load.report.plot.measure import format_bytes
from garrison_harness.load.report.row import labelled, wrapped
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.capacity import Capacity
    from garrison_harness.load.promise import Promise
    from garrison_harness.load.report.row import Row
    from garrison_harness.load.result import Result
    from garrison_harness.load.watch.resources import Resources

_WORDS: Final = {"kept": ("KEPT", "green"), "broken": ("BROKEN", "bold red"), "not judged": ("-", "dim")}
_STEADY: Final = 0.001  # less than that is a page or two
_WIDEST: Final = max(len(word) for word, _ in _WORDS.values())


def resource_rows(result: Result) -> Iterator[Row]:
    """What the target used, where it was watched.

    Args:
        result: The run.
    """
    if result.resources is not None:
        for label, text in resources_in_words(result.resources).items():
            yield from labelled(label, text)


def target_rows(result: Result) -> Iterator[Row]:
    """How the target kept what it keeps when quiet, and how it compares.

    Args:
        result: The run.
    """
    if result.promises:
        yield []
        yield [("Hardening under load", "bold")]
        for promise in result.promises:
            yield from _promise(promise)
    if result.capacity is not None:
        yield []
        yield from _capacity(result.capacity)
    if result.comparison is not None:
        yield []
        for line in comparison_lines(result.comparison):
            yield [(line, "")]


def resources_in_words(resources: Resources) -> dict[str, str]:
    """What the target used, one line for each thing that was measured, by what it is.

    Args:
        resources: What was measured.
    """
    measures, found = resources.measures(), {}
    if (memory := measures.get("memory")) is not None:
        growth = grown(resources)
        found["memory"] = f"{format_bytes(memory)} at most{growth and f', {growth}'}"
    lags = {
        name: measures[f"lag_{name}"] for name in ("p50", "p95", "p99", "max") if f"lag_{name}" in measures
    }
    if lags:
        told = "  ".join(f"{name} {format_duration(value)}" for name, value in lags.items())
        found["loop lag"] = f"{told}  ({resources.lag_request})"
    return found


def grown(resources: Resources) -> str:
    """How the memory of the target changed while load ran; empty where that is not known.

    Args:
        resources: What was measured.
    """
    growth = resources.memory_growth
    if growth is None:
        return ""
    share = format_share(abs(growth)) if abs(growth) >= _STEADY else "less than 0.1%"
    return f"{'grew' if growth >= 0 else 'shrank'} by {share}"


def _capacity(capacity: Capacity) -> Iterator[Row]:
    for line in wrapped(f"Capacity: {capacity.describe()}", hanging=2):
        yield [(line, "bold")]
    yield [(f"  {capacity.unit:>12}{'answered':>12}{'p95':>10}{'errors':>9}", "dim")]
    for step in capacity.steps:
        p95 = "" if step.p95 is None else format_duration(step.p95)
        line = f"  {step.level:>12,.4g}{step.rate:>10,.1f}/s{p95:>10}{format_share(step.error_share):>9}  "
        first, *others = wrapped(f"{line}{'held' if step.held else step.why}", hanging=len(line))
        yield [(line, ""), (first[len(line) :], "green" if step.held else "red")]
        yield from ([(other, "red")] for other in others)


def _promise(promise: Promise) -> Iterator[Row]:
    word, style = _WORDS[promise.verdict]
    detail = f": {promise.detail}" if promise.detail else ""
    first, *others = wrapped(f"{word:<{_WIDEST}}  {promise.title}{detail}", indent=2, hanging=_WIDEST + 2)
    yield [("  ", ""), (word, style), (first[2 + len(word) :], "dim" if style == "dim" else "")]
    yield from ([(line, "dim" if style == "dim" else "")] for line in others)
    for example in promise.examples:
        for line in wrapped(f"| {example}", indent=_WIDEST + 4, hanging=4):
            yield [(line, "")]
