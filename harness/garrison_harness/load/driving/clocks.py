"""How far the clock of another machine is from that of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

QUESTIONS: Final = 8
"""How often a worker asks its master for the time: the fastest reply is the one that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at another clock; all in seconds.

    Attributes:
        asked: When the question was sent, by the own clock.
        told: What the other clock showed in between.
        heard: When the reply came, by the own clock.
    """

    asked: float
    told: float
    heard: float


def ahead(readings: Iterable[Reading]) -> float:
    """How far the other clock is ahead, in seconds.

    A reading is half a round trip old when it comes (RFC 5905 section 8), if both ways take the same time.
    That is wrong by half of the round trip at most, so that the shortest one is the best.

    Args:
        readings: At least one.
    """
    best = min(readings, key=lambda one: one.heard - one.asked)
    return best.told - (best.asked + best.heard) / 2
