"""What a drill is: something that breaks, what is expected of the app, and a judgement of what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.recording import Recording
from garrison_harness.drills.scene import Scene

Verdict = Literal["held", "broken", "not run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One expectation, and what became of it.

    Attributes:
        expectation: What the app has to keep, as a sentence.
        verdict: `not run` where it could not be judged, which is never `held`.
        detail: What was seen, or why nothing was.
    """

    expectation: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """Something that breaks while a small load goes on.

    Attributes:
        name: Lower-case words with hyphens; reports and `--select` use it.
        title: What breaks, in a few words.
        expectation: What an app that is fit for production does, in a sentence.
        drive: Breaks it, and records.
        judge: Says of each expectation what became of it; a pure function of the recording.
    """

    name: str
    title: str
    expectation: str
    drive: Callable[[Scene], Recording]
    judge: Callable[[Recording, Bounds], Iterator[Point]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a drill.

    Attributes:
        drill: Which.
        points: What became of each expectation; none where it was not run.
        reason: Why it was not run; empty otherwise.
        undecided: It was begun, and could not be judged.
        duration: Seconds.
        requests: How many the load sent.
    """

    drill: Drill
    points: tuple[Point, ...] = ()
    reason: str = ""
    undecided: bool = False
    duration: float = 0.0
    requests: int = 0

    @property
    def verdict(self) -> Verdict:
        """Broken where one expectation is; held where at least one is, and none is broken."""
        verdicts = {point.verdict for point in self.points}
        if "broken" in verdicts:
            return "broken"
        return "held" if "held" in verdicts and not self.reason else "not run"
