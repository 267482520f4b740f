"""How much a target carries: the search for it, and what it found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypedDict

STEPS: Final = 12
"""Steps of a search: eight that double the load, and four that halve the gap twice over, twice."""

PRECISE: Final = 1.1
"""The search is over once the lowest load that broke is no more than this times the highest that held."""

FIRST_RATE: Final = 50.0
"""Arrivals per second of the first step at most: so few that nothing waits yet."""

_DOWN: Final = 4.0  # the load is divided by this as long as nothing has held


class StepRecord(TypedDict):
    """A step in JSON; `p95` is in seconds, null where no request was sent."""

    level: float
    held: bool
    why: str
    rate: float
    p95: float | None
    error_share: float


class CapacityRecord(TypedDict):
    """The capacity in JSON; levels are in `unit`, and null where nothing held, or nothing broke."""

    unit: str
    level: float | None
    rate: float | None
    broke_at: float | None
    why: str
    limited: bool
    steps: list[StepRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One load that was tried.

    Attributes:
        level: How much, in users or arrivals per second.
        held: Whether the target carried it.
        why: What gave way, one line; empty where nothing did.
        limited: What gave way was the generator.
        rate: Requests per second that were answered.
        p95: The 95th percentile of the latency, in seconds; None where no request was sent.
        error_share: Errors per attempt, 0 to 1.
    """

    level: float
    held: bool
    why: str = ""
    limited: bool = False
    rate: float = 0.0
    p95: float | None = None
    error_share: float = 0.0

    def to_record(self) -> StepRecord:
        """The step in JSON's types."""
        return {
            "level": self.level,
            "held": self.held,
            "why": self.why,
            "rate": self.rate,
            "p95": self.p95,
            "error_share": self.error_share,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a search found.

    Attributes:
        unit: `users` or `arrivals/s`: what a level counts.
        steps: All that was tried, in order.
    """

    unit: str
    steps: tuple[Step, ...]

    @property
    def best(self) -> Step | None:
        """The highest load that held, below the lowest that did not; None where none did."""
        held = [
            step for step in self.steps if step.held and (not self.broke or step.level < self.broke.level)
        ]
        return max(held, key=lambda step: step.level, default=None)

    @property
    def broke(self) -> Step | None:
        """The lowest load that did not hold; None where all did."""
        return min((step for step in self.steps if not step.held), key=lambda step: step.level, default=None)

    @property
    def limited(self) -> bool:
        """Whether the generator ended the search, so that the target may carry more."""
        return self.broke is not None and self.broke.limited

    def describe(self) -> str:
        """What was found, one line."""
        if self.best is None:
            return f"nothing held: {self.broke.why}" if self.broke else "nothing was tried"
        most = f"{self.best.level:,.4g} {self.unit}, {self.best.rate:,.1f} requests/s"
        if self.broke is None:
            return f"at least {most}: all that was tried held"
        if self.limited:
            return f"at least {most}: above that the generator is the limit ({self.broke.why})"
        return f"{most}; at {self.broke.level:,.4g} {self.unit}: {self.broke.why}"

    def to_record(self) -> CapacityRecord:
        """The capacity in JSON's types."""
        return {
            "unit": self.unit,
            "level": self.best.level if self.best else None,
            "rate": self.best.rate if self.best else None,
            "broke_at": self.broke.level if self.broke else None,
            "why": self.broke.why if self.broke else "",
            "limited": self.limited,
            "steps": [step.to_record() for step in self.steps],
        }


class Search:
    """Decides which load to try next: doubles it until something gives, then narrows the gap."""

    def __init__(self, *, first: float, most: float, whole: bool, steps: int = STEPS) -> None:
        """Begin a search.

        Args:
            first: The load to begin with.
            most: The highest to try.
            whole: Only whole numbers are tried, as of users.
            steps: How many loads are tried at most.
        """
        self._first = first
        self._most = most
        self._whole = whole
        self._left = steps
        self._held: float | None = None
        self._broke: float | None = None

    def following(self) -> float | None:
        """The load to try next; None when the search is over."""
        if not self._left:
            return None
        following = self._candidate()
        if self._whole and following is not None:
            following = float(max(1, math.floor(following + 0.5)))
        if following is None or following in (self._held, self._broke):
            return None
        return following

    def repeat(self) -> bool:
        """Whether there is time to try the same load again."""
        self._left -= 1
        return self._left > 0

    def tell(self, level: float, *, held: bool) -> None:
        """Say how a load went."""
        self._left -= 1
        if not held:
            self._broke = level if self._broke is None else min(level, self._broke)
        elif self._broke is None or level < self._broke:
            self._held = level if self._held is None else max(level, self._held)

    def _candidate(self) -> float | None:
        if self._held is None:
            if self._broke is None:
                return min(self._first, self._most)
            return max(1.0, self._broke / _DOWN) if self._broke > 1 else None
        if self._broke is None:
            return min(self._held * 2, self._most) if self._held < self._most else None
        # Three digits: nobody needs 70.71067 arrivals a second.
        between = float(f"{math.sqrt(self._held * self._broke):.3g}")
        return between if self._broke / self._held > PRECISE else None


def first_level(most: float, *, whole: bool) -> float:
    """Where to begin: so low that nothing waits yet, and so high that a few steps lead to the peak.

    Args:
        most: The highest load to try.
        whole: The load is counted in users.
    """
    return max(1.0, most / 128) if whole else min(FIRST_RATE, most / 16)
