"""Whether an app holds while the store that it counts in is away, and once it is back."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.drills.judging import (
    is_lost,
    no_server_error,
    none_late,
    none_lost,
    point,
    require_quiet,
    unjudged,
)
from garrison_harness.drills.recording import outcomes
from garrison_harness.finding import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.drill import Point
    from garrison_harness.drills.recording import Ask, Recording

_EVENT: Final = "rate_limit_store"
_NUMBER: Final = re.compile(r"[0-9]+")
_SHOWN: Final = 60  # letters of a line


def judge(recording: Recording, bounds: Bounds) -> Iterator[Point]:
    """Say of each expectation what became of it.

    Args:
        recording: What was seen.
        bounds: What the app is held to.

    Raises:
        Undecided: The app or the load was unwell before anything broke.
    """
    require_quiet(recording, bounds)
    yield none_lost(recording)
    yield none_late(recording, bounds)
    yield _refused_cleanly(recording) if bounds.closed else no_server_error(recording)
    yield _asked_again(recording, bounds)
    yield _quota_holds(recording, bounds)
    yield _told(recording, bounds)
    yield point("the process stays up", [] if recording.facts["alive"] else ["it ended"], "it is up")


def _refused_cleanly(recording: Recording) -> Point:
    """While nothing may pass uncounted, a refusal says that, and when to come back."""
    during = [ask for ask in recording.during if not is_lost(ask)]
    bad = [ask for ask in (*during, *recording.after) if ask.status >= 500]
    unclean = [ask for ask in bad if ask.status != 503 or "retry-after" not in ask.headers]
    late = [ask for ask in recording.after if ask.status >= 500]
    faults = [f"{len(unclean)} are not: {outcomes(unclean)}"] if unclean else []
    faults += [f"{len(late)} came after the store was back: {outcomes(late)}"] if late else []
    held = f"replies while the store was away: {outcomes(during)}"
    return point("errors are 503 with Retry-After, and only while the store is away", faults, held)


def _asked_again(recording: Recording, bounds: Bounds) -> Point:
    after = recording.facts.get("asked again")
    expectation = f"the app asks its store again within {bounds.recovery:g} s"
    if after is None:
        return point(expectation, ["it had less than half as much to do as before by then"], "")
    return point(expectation, [], f"after {after:.1f} s at most" if after else "at once")


def _quota_holds(recording: Recording, bounds: Bounds) -> Point:
    expectation = "a quota holds again afterwards"
    if not bounds.quota:
        return unjudged(expectation, "no quota of the app is known: name it with --quota")
    before, after = recording.others.get("probe before"), recording.others.get("probe after")
    if not before or not after:
        return unjudged(expectation, f"{bounds.quota} requests of one client of its own cannot be made here")
    if not any(ask.status == 429 for ask in before):
        return unjudged(expectation, f"{len(before)} requests of one client were no refusal before either")
    passed = _passed(after)
    allowed = bounds.quota + round(bounds.refill * (max(ask.ended for ask in after) - after[0].due)) + 1
    faults = []
    if lost := [ask for ask in after if is_lost(ask) or ask.status >= 500]:
        faults.append(f"{len(lost)} of {len(after)} requests ended in {outcomes(lost)}")
    elif passed > allowed:
        faults.append(f"{passed} of {len(after)} requests of one client passed, and {bounds.quota} may")
    elif passed < min(bounds.quota, _passed(before)):
        faults.append(f"{passed} of {len(after)} requests of one client passed, and {bounds.quota} should")
    return point(expectation, faults, f"{passed} of {len(after)} requests of one client passed")


def _passed(asks: Sequence[Ask]) -> int:
    return sum(0 < ask.status < 500 and ask.status != 429 for ask in asks)


def _told(recording: Recording, bounds: Bounds) -> Point:
    """The log says that the store is away, and that it is back, and says each once."""
    expectation = "the log tells of it once each way"
    events = [event for line in recording.log["after"] if (event := _event(line))]
    if not events:
        usual = {_NUMBER.sub("", line) for line in recording.log["before"]}
        lines = [line for line in recording.log["during"] if line.strip() and not _is_access(line)]
        new = [printable(line, _SHOWN) for line in lines if _NUMBER.sub("", line) not in usual]
        return point(
            "the log tells of it",
            [] if new else ["nothing in the log does"],
            f"such as: {new[0] if new else ''}",
        )
    found = {
        state: sum(event.get("state") == state for event in events) for state in ("failing", "answering")
    }
    count = ", ".join(f"{number} {state}" for state, number in found.items())
    wrong = any(not 1 <= number <= bounds.workers for number in found.values())
    each = "" if bounds.workers == 1 else f" for {bounds.workers} processes"
    return point(expectation, [f"{count}{each}"] if wrong else [], f"{count}{each}")


def _event(line: str) -> dict[str, Any] | None:
    """The event of Garrison in a line of its log, if it is about the store."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("event") == _EVENT else None


def _is_access(line: str) -> bool:
    """Whether a line tells of one request, as servers write them all the time."""
    return '"http.request"' in line or " HTTP/1.1" in line
