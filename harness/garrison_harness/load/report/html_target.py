"""What the page says of the target: hardening under load, and another variant of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.compare.table import cells, headline
from garrison_harness.load.report.markup import table, text, word
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.capacity import Step
    from garrison_harness.load.promise import Promise
    from garrison_harness.load.result import Result


def promises_html(result: Result) -> Iterator[str]:
    """What hardening kept under load, what is broken first.

    Args:
        result: The run.
    """
    if not result.promises:
        return
    order = {"broken": 0, "kept": 1, "not judged": 2}
    promises = sorted(result.promises, key=lambda promise: order[promise.verdict])
    yield "<h2>Hardening under load</h2>"
    yield table(("verdict", "promise", "seen"), map(_promise, promises))


def _promise(promise: Promise) -> list[str]:
    examples = "".join(f"<li><code>{text(example)}</code></li>" for example in promise.examples)
    listed = f"<ul>{examples}</ul>" if examples else ""
    return [word(promise.verdict), text(promise.title), f"{text(promise.detail)}{listed}"]


def capacity_html(result: Result) -> Iterator[str]:
    """What the search for the capacity found, step by step.

    Args:
        result: The run.
    """
    capacity = result.capacity
    if capacity is None:
        return
    yield f"<h2>Capacity</h2><p>{text(capacity.describe())}</p>"
    heads = (capacity.unit, "answered", "p95", "errors", "verdict")
    yield table(heads, map(_step, capacity.steps), numbers=range(4))


def _step(step: Step) -> list[str]:
    return [
        f"{step.level:,.4g}",
        f"{step.rate:,.1f}/s",
        "" if step.p95 is None else text(format_duration(step.p95)),
        format_share(step.error_share),
        word("held") if step.held else f"{word('broke')}: {text(step.why)}",
    ]


def comparison_html(result: Result) -> Iterator[str]:
    """How far the run is apart from the other variant.

    Args:
        result: The run.
    """
    comparison = result.comparison
    if comparison is None:
        return
    yield f"<h2>Compared with {text(comparison.baseline)}</h2><p>{text(headline(comparison))}.</p>"
    rows = ([text(cell) for cell in cells(difference)] for difference in comparison.differences)
    yield table(("measure", comparison.baseline, "this run", "difference, and how sure"), rows)
    for reason in comparison.reasons:
        yield f'<p class="inconclusive">inconclusive: {text(reason)}</p>'
