"""The loads that have a name: how each rises and falls, how high, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.plan import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

STRESS: Final = "stress"
"""The profile that searches for the capacity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One load that has a name.

    Attributes:
        name: As it is asked for.
        summary: What it is for, a few words.
        users: Its peak in the closed model, where nobody says otherwise.
        duration: How long it takes, in seconds, where nobody says otherwise.
        course: Where the load goes: pairs of a share of the duration, and the share of the peak that is
            reached at its end. A course begins at nothing; a step takes no time.
    """

    name: str
    summary: str
    users: int
    duration: float
    course: tuple[tuple[float, float], ...]

    def stages(self, peak: float, duration: float) -> tuple[Stage, ...]:
        """The stages of a run.

        Args:
            peak: The highest load, in users or arrivals per second.
            duration: How long the run takes, in seconds.
        """
        return tuple(Stage(seconds=share * duration, level=level * peak) for share, level in self.course)


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            summary="a few users: does it work at all?",
            users=3,
            duration=30.0,
            course=((0.0, 1.0), (1.0, 1.0)),
        ),
        Profile(
            name="ramp",
            summary="rises to its peak for half the time, and stays there for a third",
            users=50,
            duration=120.0,
            course=((0.5, 1.0), (0.35, 1.0), (0.15, 0.0)),
        ),
        Profile(
            name="spike",
            summary="a tenth of the peak, all of it at once for a fifth of the time, then a tenth again",
            users=100,
            duration=60.0,
            course=((0.0, 0.1), (0.3, 0.1), (0.0, 1.0), (0.2, 1.0), (0.0, 0.1), (0.5, 0.1)),
        ),
        Profile(
            name="soak",
            summary="the same load for long: does anything grow, or give way?",
            users=20,
            duration=1800.0,
            course=((0.02, 1.0), (0.98, 1.0)),
        ),
        Profile(
            name=STRESS,
            summary="more and more, until something gives: how much does it carry?",
            users=1000,
            duration=120.0,
            course=(),
        ),
    )
}
"""By name. `stress` has no course: what it does next depends on what it saw."""
