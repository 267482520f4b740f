"""Recordings of drills as they would be with an app that holds; tests change one thing each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.recording import Ask, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison_harness.drills.drill import Drill, Point, Verdict

BROKE, MENDED, RECOVERED, END = 2.0, 4.0, 5.0, 7.0
STEP = 0.05


def ask(due: float, seconds: float = 0.005, **fields: Any) -> Ask:
    """A request that is answered."""
    fields = {"status": 0 if fields.get("failure") else 200, **fields}
    return Ask(due=due, began=due, ended=due + seconds, **fields)


def recorded(change: Callable[[float], Ask | None] = lambda _: None, **fields: Any) -> Recording:
    """Twenty requests a second; `change` may give another for the time at which one is due."""
    times = [number * STEP for number in range(int(END / STEP))]
    asks = tuple(change(due) or ask(due) for due in times)
    facts = {"alive": 1.0, **fields.pop("facts", {})}
    moments = {"broke": BROKE, "mended": MENDED, "recovered": RECOVERED, **fields}
    return Recording(asks=asks, facts=facts, **moments)


def between(start: float, end: float, make: Callable[[float], Ask]) -> Callable[[float], Ask | None]:
    """A change of what is due in that time."""
    return lambda due: make(due) if start <= due < end else None


def verdicts(drill: Drill, recording: Recording, bounds: Bounds | None = None) -> dict[str, Verdict]:
    """What became of each expectation."""
    return {point.expectation: point.verdict for point in points(drill, recording, bounds)}


def broken(drill: Drill, recording: Recording, bounds: Bounds | None = None) -> list[str]:
    """The details of those that are broken."""
    return [point.detail for point in points(drill, recording, bounds) if point.verdict == "broken"]


def points(drill: Drill, recording: Recording, bounds: Bounds | None = None) -> Iterator[Point]:
    """The judgement."""
    return drill.judge(recording, bounds or Bounds())
