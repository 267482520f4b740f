"""The figures of stores: has them measured in a process of their own, and shows them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson

from loadtests.bench.results import REFERENCE, Target
from loadtests.bench.stores import Cost, Report
from loadtests.bench.worker import WorkerError, interrupts_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

# µs of a decision for one key, and for random ones of a crowd; bytes; µs of the longest decision.
ALONE_LIMIT: Final = 1.0
CROWDED_LIMIT: Final = 2.5
BYTES_LIMIT: Final = 200.0
LONGEST_LIMIT: Final = 1000.0

# It takes 20 seconds where the bare app takes 13 µs.
TIMEOUT: Final = 90


def measured(*, quick: bool) -> Report:
    """Measure in another process, whose memory and event loop nobody else uses.

    Args:
        quick: a hundredth of the keys: shows that it runs, and no more.

    Raises:
        WorkerError: if the process ends otherwise.
    """
    command = [sys.executable, "-m", "loadtests.bench.stores", *(["--quick"] if quick else [])]
    with interrupts_ignored():
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # noqa: S603 - our own module
    try:
        printed, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise WorkerError(f"the process for stores gave no answer for {TIMEOUT} seconds") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise WorkerError(f"the process for stores ended with status {process.returncode}")
    found = orjson.loads(printed)
    return Report(**{**found, "costs": [Cost(**each) for each in found["costs"]]})


def targets(report: Report) -> list[Target]:
    """What Garrison promises of its memory store, beside what was found."""
    first = report.costs[0]
    found = [
        _in_time("µs per decision, 1 key", ALONE_LIMIT, first.alone, report),
        _in_time(f"µs per decision, {report.crowd:,} keys", CROWDED_LIMIT, report.crowded, report),
        _in_time("µs, longest while all of them expire", LONGEST_LIMIT, report.longest, report),
    ]
    size = report.bytes_per_key
    if size is not None:
        text = "bytes per key, resident"
        found.append(Target(text=text, limit=BYTES_LIMIT, found=size, scaled=size, met=size <= BYTES_LIMIT))
    return found


def text(report: Report) -> Iterator[str]:
    """The lines of the table.

    Args:
        report: what was measured.
    """
    yield f"{'one decision in memory, µs':<48}{'1 key':>10}{f'{report.live:,} keys':>16}"
    for each in report.costs:
        yield f"  {each.name:<46}{each.alone:>10.2f}{each.live:>16,.2f}"
    yield "  First one decision after the other; then with a turn of the event loop in"
    yield "  between, as in a server: what the store does in it is counted."
    yield f"  All but ten decisions took less than {report.tenth:,.0f} µs while the keys expired."


def document(report: Report) -> dict[str, Any]:
    """The same as `text` and the targets, for a JSON file."""
    return {**asdict(report), "targets": [asdict(target) for target in targets(report)]}


def _in_time(text: str, limit: float, found: float, report: Report) -> Target:
    scaled = found * REFERENCE / report.bare
    return Target(text=text, limit=limit, found=found, scaled=scaled, met=found <= limit)
