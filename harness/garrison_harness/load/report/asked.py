"""What was asked of a run, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.report.plot.measure import format_rate

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan

_MOST_PATHS: Final = 3
_MINUTE: Final = 60
_HOUR: Final = 3600


def asked(plan: Plan) -> str:
    """Load, time and requests, one line.

    Args:
        plan: What the run was to do.
    """
    profile = f"{plan.profile}: " if plan.profile else ""
    return f"{profile}{_load(plan)} for {time_in_words(plan.duration)}{_workers(plan)}: {_what(plan)}"


def several(number: int, word: str) -> str:
    """A number of things: 1 user, 2 users."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def time_in_words(seconds: float) -> str:
    """A time as people write it: 1.5 s, 10 min, 2 h; only whole minutes and hours are told as such."""
    for size, name in ((_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size and not seconds % size:
            return f"{seconds / size:g} {name}"
    return f"{round(seconds, 2):g} s"


def _load(plan: Plan) -> str:
    upto = "up to " if plan.stages else ""
    if plan.rate is not None:
        return f"{upto}{format_rate(plan.rate)} arrivals/s"
    return f"{upto}{several(plan.users, 'user')}"


def _workers(plan: Plan) -> str:
    return f" by {plan.workers} load processes" if plan.workers > 1 else ""


def _what(plan: Plan) -> str:
    if plan.locustfile:
        return f"the users of {plan.locustfile}"
    if plan.mix:
        return ", ".join(f"{user}{path and f':{path}'}={weight}" for user, path, weight in plan.mix)
    if plan.requests:
        return several(len(plan.requests), "kind") + " of request"
    more = len(plan.paths) - _MOST_PATHS
    shown = ", ".join(plan.paths[:_MOST_PATHS])
    return f"GET {shown}{f' and {more} more' if more > 0 else ''}"
