"""When arrivals are due, and how many users there are, where the load changes by stages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from garrison_harness.load.plan import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.plan import Plan


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """The stages of a plan; without any, its rate or its users from beginning to end."""
    if plan.stages:
        return plan.stages
    level = float(plan.users if plan.rate is None else plan.rate)
    return Stage(seconds=0, level=level), Stage(seconds=plan.duration, level=level)


def level_at(stages: Sequence[Stage], seconds: float) -> float:
    """How much load there is at a time, in users or arrivals per second; after the end, that of the end.

    Args:
        stages: How the load changes.
        seconds: Since the beginning, not negative.
    """
    level, begun = 0.0, 0.0
    for stage in stages:
        if seconds < begun + stage.seconds:
            return level + (stage.level - level) * (seconds - begun) / stage.seconds
        level, begun = stage.level, begun + stage.seconds
    return level


def users_at(stages: Sequence[Stage], seconds: float) -> int:
    """How many users there are at a time: at least one, since a load of nobody measures nothing.

    Args:
        stages: How the load changes, in users.
        seconds: Since the beginning, not negative.
    """
    return max(1, round(level_at(stages, seconds)))


def due_times(stages: Sequence[Stage], *, first: int = 0, stride: int = 1) -> Iterator[float]:
    """When each arrival is due, in seconds since the beginning: evenly spaced where the rate is constant.

    The arrival with number n comes when the integral of the rate reaches n, so that stages neither lose nor
    repeat one where they meet. Load processes that share a load take every `stride`-th number each.

    Args:
        stages: The arrivals per second.
        first: The first number.
        stride: From one number to the next.
    """
    number, level, begun, counted = first, 0.0, 0.0, 0.0
    for stage in stages:
        slope = (stage.level - level) / stage.seconds if stage.seconds else 0.0
        until = counted + (level + stage.level) / 2 * stage.seconds
        # A hair more than a whole arrival is the float's doing: 0.1/s for 30 s are three, and not four.
        while number < until - 1e-9:
            yield begun + _reached(max(0.0, number - counted), level, slope)
            number += stride
        level, begun, counted = stage.level, begun + stage.seconds, until


def _reached(count: float, level: float, slope: float) -> float:
    """When `level * t + slope * t² / 2` is `count`, in the form that does not cancel for a small slope."""
    return 2 * count / (level + math.sqrt(max(0.0, level * level + 2 * slope * count))) if count else 0.0
