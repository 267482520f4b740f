"""Judgements that several drills share: pure functions of what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.drills.drill import Point
from garrison_harness.drills.recording import outcomes, percentile
from garrison_harness.drills.refusal import Undecided
from garrison_harness.load.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.drill import Verdict
    from garrison_harness.drills.recording import Ask, Recording

_FEWEST: Final = 3
"""Requests before anything broke; fewer say nothing of how the app is."""

_SLACK: Final = 0.25
"""Seconds by which the 95th percentile may grow on any machine before a factor says anything."""


def point(expectation: str, faults: Sequence[str], held: str) -> Point:
    """An expectation that is broken by faults, and is held without any.

    Args:
        expectation: As a sentence.
        faults: What was seen against it.
        held: What was seen for it.
    """
    verdict: Verdict = "broken" if faults else "held"
    return Point(expectation=expectation, verdict=verdict, detail="; ".join(faults) or held)


def unjudged(expectation: str, reason: str) -> Point:
    """An expectation of which nothing can be said."""
    return Point(expectation=expectation, verdict="not run", detail=reason)


def require_quiet(recording: Recording, bounds: Bounds) -> None:
    """Go on only if the app and the load were well before anything broke.

    Raises:
        Undecided: They were not, so what came later is no consequence.
    """
    before = recording.before
    if len(before) < _FEWEST:
        raise Undecided(f"{len(before)} requests were over before anything broke: too few to compare with")
    if bad := [ask for ask in before if is_lost(ask) or ask.status >= 500]:
        raise Undecided(
            f"before anything broke, {len(bad)} of {len(before)} requests ended in {outcomes(bad)}"
        )
    failures = {ask.failure for ask in recording.asks}
    # An app that answers nothing takes all connections that there are: that is its own doing.
    if "not sent" in failures and "timeout" not in failures:
        raise Undecided("this machine had no connection left for a request: ask for a smaller --rate")
    lag = max(ask.began - ask.due for ask in recording.asks)
    if lag > bounds.late / 2:
        raise Undecided(f"this machine was busy: the load itself sent a request {format_duration(lag)} late")


def is_lost(ask: Ask) -> bool:
    """Whether a request got no whole reply."""
    return ask.failure not in {"", "not sent"}


def none_lost(recording: Recording, *, allowed: Callable[[Ask], bool] = lambda _: False) -> Point:
    """No reply is lost from the moment at which something broke.

    Args:
        recording: What was seen.
        allowed: Whether a request may have got none.
    """
    asked = [*recording.during, *recording.after]
    lost = [ask for ask in asked if is_lost(ask) and not allowed(ask)]
    answered = sum(not is_lost(ask) for ask in asked)
    faults = []
    if lost:
        first = lost[0].due - recording.broke
        faults = [f"{len(lost)} of {len(asked)} got none ({outcomes(lost)}), the first at {first:+.1f} s"]
    refused = sum(is_lost(ask) for ask in asked) - len(lost)
    down = f", and {refused} found nobody, as they may" if refused else ""
    return point("no reply is lost", faults, f"{answered} of {len(asked)} requests were answered{down}")


def none_late(recording: Recording, bounds: Bounds) -> Point:
    """No reply is later than the bound."""
    answered = [ask for ask in (*recording.during, *recording.after) if not is_lost(ask)]
    late = [ask for ask in answered if ask.latency > bounds.late]
    slowest = max((ask.latency for ask in answered), default=0.0)
    bound = format_duration(bounds.late)
    faults = [f"{len(late)} of {len(answered)} did, up to {format_duration(slowest)}"] if late else []
    return point(
        f"no reply takes longer than {bound}", faults, f"the slowest took {format_duration(slowest)}"
    )


def no_server_error(recording: Recording) -> Point:
    """No reply is a 5xx."""
    answered = [ask for ask in (*recording.during, *recording.after) if not is_lost(ask)]
    bad = [ask for ask in answered if ask.status >= 500]
    faults = [f"{len(bad)} of {len(answered)} replies: {outcomes(bad)}"] if bad else []
    return point("no reply is an error of the server (5xx)", faults, f"replies: {outcomes(answered)}")


def still_quick(recording: Recording, bounds: Bounds) -> Point:
    """Those who did nothing wrong wait about as long as before."""
    usual, now = (percentile(asks, 95) for asks in (recording.before, recording.during))
    allowed = max(usual * bounds.factor, usual + _SLACK)
    seen = f"p95 {format_duration(now)} after {format_duration(usual)}"
    faults = [f"{seen}, more than {format_duration(allowed)}"] if now > allowed else []
    expectation = (
        f"the others wait at most {bounds.factor:g} times as long, or {format_duration(_SLACK)} more"
    )
    return point(expectation, faults, seen)


def none_refused(recording: Recording) -> Point:
    """Those who did nothing wrong get what they got before."""
    usual = {ask.status for ask in recording.before}
    asked = [*recording.during, *recording.after]
    odd = [ask for ask in asked if is_lost(ask) or (ask.status >= 400 and ask.status not in usual)]
    faults = [f"{len(odd)} of {len(asked)} requests ended in {outcomes(odd)}"] if odd else []
    return point("the others are served as before", faults, f"replies: {outcomes(asked)}")
