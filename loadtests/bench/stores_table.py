"""The figures of stores in memory: has them measured in processes of their own, and shows them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from loadtests.bench.crowd import Crowd, subjects
from loadtests.bench.results import REFERENCE, Target
from loadtests.bench.stores import Cost, Costs
from loadtests.bench.worker import WorkerError, environment, interrupts_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator

# µs of a decision for one key, and for random ones of a crowd; bytes; µs of the longest decision.
ALONE_LIMIT: Final = 1.0
CROWDED_LIMIT: Final = 2.5
BYTES_LIMIT: Final = 200.0
LONGEST_LIMIT: Final = 1000.0

# Keys that are usual for one process, keys that it must still hold, and seconds of CPU for each figure.
FULL: Final = (100_000, 1_000_000, 0.15)
QUICK: Final = (1000, 10_000, 0.02)
# No process takes more than 15 seconds where the bare app takes 13 µs.
TIMEOUT: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        costs: of one decision, beside those of the peers.
        keys: in the stores of the crowds.
        crowds: stores that are full, Garrison's first.
    """

    costs: Costs
    keys: int
    crowds: list[Crowd]


def measured(*, quick: bool) -> Report:
    """Measure in other processes, whose memory and event loops nobody else uses.

    Args:
        quick: a hundredth of the keys: shows that it runs, and no more.

    Raises:
        WorkerError: if a process ends otherwise.
    """
    live, keys, spell = QUICK if quick else FULL
    found = printed("stores", live, spell)
    return Report(
        costs=Costs(**{**found, "costs": [Cost(**each) for each in found["costs"]]}),
        keys=keys,
        crowds=[Crowd(**printed("crowd", name, keys, spell)) for name in subjects(keys)],
    )


def targets(report: Report) -> list[Target]:
    """What Garrison promises of its memory store, beside what was found; times for its default algorithm."""
    decision, crowd = report.costs.costs[0], report.crowds[0]
    bare = report.costs.bare
    found = [
        _in_time("µs per decision, 1 key", ALONE_LIMIT, decision.alone, bare),
        _in_time(f"µs per decision, {report.keys:,} keys", CROWDED_LIMIT, crowd.each, bare),
        _in_time("µs, longest while all of them expire", LONGEST_LIMIT, crowd.longest, bare),
    ]
    for crowd in report.crowds:
        size = crowd.bytes_per_key
        if size is not None and crowd.name.startswith("Garrison"):
            text, met = f"bytes per key, {crowd.name.removeprefix('Garrison, ')}", size <= BYTES_LIMIT
            found.append(Target(text=text, limit=BYTES_LIMIT, found=size, scaled=size, met=met))
    return found


def text(report: Report) -> Iterator[str]:
    """The lines of the tables.

    Args:
        report: what was measured.
    """
    yield f"{'one decision in memory, µs':<48}{'1 key':>10}{f'{report.costs.live:,} keys':>16}"
    for each in report.costs.costs:
        yield f"  {each.name:<46}{each.alone:>10.2f}{each.live:>16,.2f}"
    yield "  First one decision after the other; then with a turn of the event loop in"
    yield "  between, as in a server: what the store does in it is counted. throttled-py"
    yield "  is told to remember a million keys; as it comes it forgets all but 1,024."
    yield ""
    yield f"{f'a store with {report.keys:,} keys':<36}{'µs each':>10}{'bytes per key':>16}{'longest, µs':>16}"
    for crowd in report.crowds:
        size = "" if crowd.bytes_per_key is None else f"{crowd.bytes_per_key:.0f}"
        yield f"  {crowd.name:<34}{crowd.each:>10.2f}{size:>16}{crowd.longest:>16,.0f}"
    yield "  The longest turn of the event loop, garbage collection included, when all keys"
    yield "  have expired. throttled-py lets go of none until it is full."
    yield f"  All but ten turns of the first took less than {report.crowds[0].tenth:,.0f} µs."


def document(report: Report) -> dict[str, Any]:
    """The same as `text` and the targets, for a JSON file."""
    return {**asdict(report), "targets": [asdict(target) for target in targets(report)]}


def printed(module: str, *arguments: object) -> dict[str, Any]:
    """What a module of this folder prints as JSON.

    Args:
        module: its name.
        arguments: of its command line.

    Raises:
        WorkerError: if it ends otherwise, or not at all.
    """
    command = [sys.executable, "-m", f"loadtests.bench.{module}", *map(str, arguments)]
    with interrupts_ignored():
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment()
        )
    try:
        printed, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise WorkerError(f"the process for {module} gave no answer for {TIMEOUT} seconds") from None
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise WorkerError(f"the process for {module} ended with status {process.returncode}")
    found: dict[str, Any] = orjson.loads(printed)
    return found


def _in_time(text: str, limit: float, found: float, bare: float) -> Target:
    scaled = found * REFERENCE / bare
    return Target(text=text, limit=limit, found=found, scaled=scaled, met=found <= limit)
