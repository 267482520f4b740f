"""Whoever reads the log of the app stalls, as a shipper of logs does whose disk is full."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from garrison_harness import interruption
from garrison_harness.drills.drill import Drill
from garrison_harness.drills.judging import (
    is_lost,
    no_server_error,
    none_late,
    none_lost,
    point,
    require_quiet,
    unjudged,
)
from garrison_harness.drills.log_pipe import LogPipe
from garrison_harness.drills.recording import Recording
from garrison_harness.drills.refusal import NotRun
from garrison_harness.drills.scratch import scratch_directory
from garrison_harness.finding import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.drill import Point
    from garrison_harness.drills.scene import Scene

_STALL: Final = 1.5  # times the bound on a reply: who waits for a reader is late by then
_FILLS: Final = 20.0  # seconds until a pipe is full
_SILENT: Final = 3.0  # seconds without another byte
_POLL: Final = 0.2
_REQUESTS: Final = 10
_NAMES: Final = ("stdout.log", "stderr.log")
_QUIET: Final = 0.2  # seconds in which a log is still on its way
_LOOKS: Final = 40  # at most, until no more lines come
_ROUGHLY: Final = 0.1  # of the lines: some are on their way
_SHOWN: Final = 60  # letters of a line
_MEBIBYTE: Final = 1024 * 1024
_LOST: Final = "log_lines_dropped"


def _drive(scene: Scene) -> Recording:
    scene.require_start()
    facts: dict[str, float] = {}
    with ExitStack() as stack:
        # Whoever starts the target finds the pipes where it would have made files.
        scratch = stack.enter_context(scratch_directory())
        pipes = [stack.enter_context(LogPipe(scratch / name)) for name in _NAMES]
        up = stack.enter_context(scene.boot(logs=scratch))
        _settle(pipes)
        starts = [pipe.size() for pipe in pipes]
        load = stack.enter_context(scene.load(up))
        interruption.pause(scene.asked.window)
        memory = up.memory()
        early, facts["answered early"] = _lines(pipes, starts), float(len(load.asks()))
        broke = load.now()
        for pipe in pipes:
            pipe.stall()
        _wait_until_full(pipes, scene)
        interruption.pause(max(scene.asked.window, _STALL * scene.bounds.late))
        grown = up.memory()
        mended = load.now()
        for pipe in pipes:
            pipe.resume()
        interruption.pause(scene.asked.window)
        asks = load.finish()
        _settle(pipes)
        facts["alive"] = float(up.alive())
        log = {"before": early, "after": _lines(pipes, starts)}
        for name, pipe in zip(_NAMES, pipes, strict=True):
            (scene.directory / name).write_text(pipe.text(), encoding="utf-8")
    scene.requests = len(asks)
    if memory is not None and grown is not None:
        facts["grown"] = float(grown - memory)
    return Recording(asks=asks, broke=broke, mended=mended, recovered=mended, facts=facts, log=log)


def _wait_until_full(pipes: Sequence[LogPipe], scene: Scene) -> None:
    """Wait until one of the pipes holds up whoever writes; before that nothing is stalled.

    Raises:
        NotRun: None of them gets there.
    """
    # As long as it takes some requests, none of which has added a line.
    enough = max(_POLL, _REQUESTS / scene.asked.rate)
    began = grew = time.monotonic()
    while (now := time.monotonic()) - began < _FILLS and now - grew < max(_SILENT, 2 * enough):
        before = [pipe.held() for pipe in pipes]
        interruption.pause(enough)
        if before != [pipe.held() for pipe in pipes]:
            grew = time.monotonic()
        elif any(pipe.nearly_full() for pipe in pipes):
            return
    raise NotRun(
        f"its log did not fill a pipe in {now - began:.0f} s: it writes little or nothing of requests;"
        " switch its access log on, or ask for a greater --rate"
    )


def _settle(pipes: Sequence[LogPipe]) -> None:
    """Wait until nothing more comes."""
    sizes: list[int] = []
    for _ in range(_LOOKS):
        interruption.pause(_QUIET)
        before, sizes = sizes, [pipe.size() for pipe in pipes]
        if sizes == before:
            return


def _lines(pipes: Sequence[LogPipe], starts: Sequence[int]) -> tuple[str, ...]:
    """What came after those places, the lines of one pipe after those of the other."""
    texts = (pipe.text(start) for pipe, start in zip(pipes, starts, strict=True))
    return tuple(line for text in texts for line in text.splitlines() if line.strip())


def _judge(recording: Recording, bounds: Bounds) -> Iterator[Point]:
    require_quiet(recording, bounds)
    yield none_lost(recording)
    yield none_late(recording, bounds)
    yield no_server_error(recording)
    yield _memory(recording, bounds)
    yield _adds_up(recording)
    yield _whole(recording)
    yield point("the process stays up", [] if recording.facts["alive"] else ["it ended"], "it is up")


def _memory(recording: Recording, bounds: Bounds) -> Point:
    expectation = f"its memory grows by at most {bounds.memory // _MEBIBYTE} MiB meanwhile"
    grown = recording.facts.get("grown")
    if grown is None:
        return unjudged(expectation, "this system does not tell the memory of a process")
    seen = f"by {grown / _MEBIBYTE:.1f} MiB"
    return point(expectation, [seen] if grown > bounds.memory else [], seen)


def _adds_up(recording: Recording) -> Point:
    """What is missing from the log afterwards is what it says is missing."""
    expectation = "the log has every request, or says how many lines are missing"
    early, answered = len(recording.log["before"]), recording.facts["answered early"]
    each = round(early / answered) if answered else 0
    if not each or abs(early - each * answered) > max(2.0, _ROUGHLY * each * answered):
        return unjudged(
            expectation, f"{early} lines for the first {answered:g} requests: not as many for each"
        )
    told = [count for line in recording.log["after"] if (count := _dropped(line)) is not None]
    lines = len(recording.log["after"]) - len(told)
    due = each * sum(not is_lost(ask) for ask in recording.asks)
    missing = due - lines - sum(told)
    seen = f"{lines} lines for {len(recording.asks)} requests, and {sum(told)} said to be missing"
    return point(expectation, [f"{seen}: {missing} are lost without a word"] if missing > 0 else [], seen)


def _whole(recording: Recording) -> Point:
    """No line is torn; what is whole can be told where all lines are JSON."""
    expectation = "no line of the log is torn"
    early, lines = recording.log["before"], recording.log["after"]
    if not early or not all(_is_json(line) for line in early):
        return unjudged(expectation, "its lines are no JSON, so a torn one looks like a whole one")
    torn = [line for line in lines if not _is_json(line)]
    faults = [f"{len(torn)} of {len(lines)}, such as {printable(torn[0], _SHOWN)}"] if torn else []
    return point(expectation, faults, f"{len(lines)} lines are whole")


def _dropped(line: str) -> int | None:
    """How many lines an event of Garrison says are missing; None for any other line."""
    found = _event(line)
    count = found.get("dropped") if found is not None and found.get("event") == _LOST else None
    return count if isinstance(count, int) else None


def _is_json(line: str) -> bool:
    return _event(line) is not None


def _event(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


LOG_STALLED: Final = Drill(
    name="log-stalled",
    title="whoever reads its log stalls, and reads on later",
    expectation="Requests do not wait for the reader of a log, and a gap in the log says how large it is.",
    drive=_drive,
    judge=_judge,
)
"""Standard output and standard error are pipes that nobody reads for a time."""
