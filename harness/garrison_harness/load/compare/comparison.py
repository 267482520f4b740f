"""Two variants of a target side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.account import Account
from garrison_harness.load.compare.difference import (
    FEWEST_ROUNDS,
    Difference,
    DifferenceRecord,
    paired,
    unpaired,
)
from garrison_harness.load.compare.interval import CONFIDENCE
from garrison_harness.load.compare.measures import MEASURES, named
from garrison_harness.load.compare.slices import Slice, SliceRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.compare.measures import Measure

BARE = "bare"
"""What `--compare` calls the same app without what `--harden` puts around it."""


class ComparisonRecord(TypedDict):
    """A comparison in JSON.

    `baseline` is `bare` or the path of a report, and every change is that of the target against it.
    `interleaved` says whether both were loaded in turn; `rounds` is how often, and for a report in how many
    parts the shorter of both runs was cut. `reasons` say why nothing can be concluded, and are empty where
    something can. `confidence` is that of each interval by itself. `baseline_rounds` are the rounds of the
    baseline; those of the target are the `slices` of the result.
    """

    baseline: str
    interleaved: bool
    rounds: int
    confidence: float
    reasons: list[str]
    differences: list[DifferenceRecord]
    baseline_rounds: list[SliceRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a target is held against, and what came of it.

    Attributes:
        baseline: `bare`, or the path of a report.
        interleaved: Both were loaded in turn, so that each round of one belongs to one of the other.
        baseline_rounds: The rounds of what the target is held against.
        target_rounds: Those of the target.
        limits: What kept the comparison from saying anything, a line each, beside too few rounds.
        baseline_account: Everything that was seen of the baseline, its rounds joined; None for a report.
    """

    baseline: str
    interleaved: bool
    baseline_rounds: tuple[Slice, ...]
    target_rounds: tuple[Slice, ...]
    limits: tuple[str, ...] = ()
    baseline_account: Account | None = None

    @property
    def rounds(self) -> int:
        """Rounds of both."""
        return min(len(self.baseline_rounds), len(self.target_rounds))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why nothing can be concluded, a line each; none where something can."""
        if self.rounds >= FEWEST_ROUNDS:
            return self.limits
        whole = "rounds" if self.interleaved else "parts of at least a second"
        few = f"a comparison takes at least {FEWEST_ROUNDS} {whole}, and there were {self.rounds}"
        return (*self.limits, few)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """One for each measure that every comparison states."""
        return tuple(map(self.difference, MEASURES))

    def difference(self, measure: Measure) -> Difference:
        """How far both are apart in one measure."""
        compare = paired if self.interleaved else unpaired
        return compare(measure, baseline=self.baseline_rounds, target=self.target_rounds)

    def judge(
        self, measure: str, keeps: Callable[[float], bool], *, relative: bool
    ) -> tuple[float | None, bool | None]:
        """Hold a difference against a bound.

        Args:
            measure: Its name.
            keeps: Whether a change keeps the bound; it must be one that lets through everything on one side.
            relative: The bound is a share of the baseline's figure.

        Returns:
            The change, None where it is not judged; and whether it keeps the bound, None where that cannot be
            told because the interval holds changes that do and changes that do not.

        Raises:
            ValueError: No measure has this name.
        """
        found = self.difference(named(measure))
        interval = found.share if relative else found.change
        if interval is None:
            return None, None
        ends = (keeps(interval.low), keeps(interval.high))
        return interval.value, ends[0] if ends[0] == ends[1] and not self.reasons else None

    def unjudged(self, measure: str) -> str:
        """Why a difference is not judged, one line; empty where it is.

        Args:
            measure: Its name.

        Raises:
            ValueError: No measure has this name.
        """
        return self.difference(named(measure)).reason

    def to_record(self) -> ComparisonRecord:
        """The comparison in JSON's types."""
        return {
            "baseline": self.baseline,
            "interleaved": self.interleaved,
            "rounds": self.rounds,
            "confidence": CONFIDENCE,
            "reasons": list(self.reasons),
            "differences": [difference.to_record() for difference in self.differences],
            "baseline_rounds": [part.to_record() for part in self.baseline_rounds],
        }
