"""A handler raises again and again, while others are served."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.drills.drill import Drill
from garrison_harness.drills.judging import (
    is_lost,
    none_refused,
    point,
    require_quiet,
    still_quick,
    unjudged,
)
from garrison_harness.drills.recording import Recording, outcomes
from garrison_harness.drills.refusal import NotRun
from garrison_harness.drills.scene import one

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.drill import Point
    from garrison_harness.drills.recording import Ask
    from garrison_harness.drills.scene import Scene

_SHARE: Final = 0.5  # of the rate of the load
_LOOK: Final = 10.0  # seconds for one request
_PROBLEM: Final = "application/problem+json"  # RFC 9457 section 3
# A traceback, a frame of one, or what an exception says of itself.
_LEAK: Final = re.compile(
    r"Traceback \(most recent|\bline \d+, in |\.py\b"
    r"|\b(?:Assertion|Attribute|Import|Index|Key|Lookup|ModuleNotFound|Name|OS|Recursion|Runtime|Type|Value"
    r"|ZeroDivision)Error\b"
)


def _drive(scene: Scene) -> Recording:
    path = scene.asked.error_path
    if path is None:
        raise NotRun("no path that raises is known: name one with --error-path")
    with ExitStack() as stack:
        up = stack.enter_context(scene.boot())
        load = stack.enter_context(scene.load(up))
        first = load.done(one(load, path), _LOOK)
        if not is_lost(first) and first.status < 500:
            raise NotRun(f"{path} answered {first.status}, so nothing is raised there: see --error-path")
        missing = load.done(one(load, "/garrison-drill-no-such-path"), _LOOK)
        interruption.pause(scene.asked.window)
        broke = load.now()
        with scene.load(up, (path,), scene.asked.rate * _SHARE) as raising:
            interruption.pause(scene.asked.window)
            errors = raising.finish()
        mended = load.now()
        interruption.pause(scene.asked.window / 2)
        asks = load.finish()
        facts = {"alive": float(up.alive())}
    scene.requests = len(asks) + len(errors)
    others = {"errors": (first, *errors), "missing": (missing,)}
    return Recording(asks=asks, broke=broke, mended=mended, recovered=mended, facts=facts, others=others)


def _judge(recording: Recording, bounds: Bounds) -> Iterator[Point]:
    require_quiet(recording, bounds)
    errors = recording.others["errors"]
    yield none_refused(recording)
    yield still_quick(recording, bounds)
    lost = [ask for ask in errors if is_lost(ask)]
    faults = [f"{len(lost)} of {len(errors)} got none ({outcomes(lost)})"] if lost else []
    yield point("each exception is answered", faults, f"replies: {outcomes(errors)}")
    yield _problems([ask for ask in errors if not is_lost(ask)], recording.others["missing"])
    yield _silence([ask for ask in errors if not is_lost(ask)])
    yield point("the process stays up", [] if recording.facts["alive"] else ["it ended"], "it is up")


def _problems(errors: Sequence[Ask], missing: Sequence[Ask]) -> Point:
    """Errors have the form that programs read (RFC 9457), where the app has that form at all."""
    expectation = "errors are problem documents"
    if not any(map(_is_problem, [*errors, *missing])):
        return unjudged(expectation, "the app has another form for errors: a page that is not there is none")
    odd = [ask for ask in errors if not _is_problem(ask)]
    faults = []
    if odd:
        kind = odd[0].headers.get("content-type", "no media type")
        faults = [f"{len(odd)} of {len(errors)} are none: {odd[0].outcome} with {kind}"]
    return point(expectation, faults, f"all {len(errors)} are")


def _is_problem(ask: Ask) -> bool:
    if ask.headers.get("content-type", "").partition(";")[0].strip().lower() != _PROBLEM:
        return False
    try:
        found = json.loads(ask.body)
    except ValueError:
        return False
    # "status" is advisory, and where it is there it is that of the reply (RFC 9457 section 3.1.2).
    return isinstance(found, dict) and found.get("status", ask.status) == ask.status


def _silence(errors: Sequence[Ask]) -> Point:
    """Nothing of the inside goes out."""
    leaks = [(ask, match[0]) for ask in errors if (match := _LEAK.search(ask.body))]
    faults = [f"{len(leaks)} of {len(errors)} do, such as {leaks[0][1]!r}"] if leaks else []
    return point("errors tell nothing of the inside", faults, f"none of {len(errors)} does")


HANDLER_EXCEPTIONS: Final = Drill(
    name="handler-exceptions",
    title="a handler raises again and again",
    expectation="Each exception is answered as other errors are, without its inside, and no other notices.",
    drive=_drive,
    judge=_judge,
)
"""A path that raises is asked beside the load."""
