"""How far two variants are apart in one figure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict

from garrison_harness.load.compare.interval import (
    Figures,
    Interval,
    IntervalRecord,
    paired_margins,
    welch_margins,
)
from garrison_harness.load.compare.measures import Measure, Unit
from garrison_harness.load.compare.slices import Slice, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FEWEST_ROUNDS = 5
"""With fewer, hardly any difference would be seen: the interval's t is 2.8 for five, and 12.7 for two."""

Verdict = Literal["higher", "lower", "no difference seen", "not judged"]


class DifferenceRecord(TypedDict):
    """One figure of both variants.

    `change` is that of the target less that of the other variant, in the unit of the figure; `share` is the
    change as a share of the other variant's figure. Both are null where `verdict` is `not judged`, which
    `reason` explains; `share` is null too where the other variant's figure is 0.
    """

    measure: str
    unit: Unit
    baseline: float | None
    target: float | None
    change: IntervalRecord | None
    share: IntervalRecord | None
    verdict: Verdict
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of both variants.

    Attributes:
        measure: The figure.
        baseline: That of the variant that the target is held against; None where it has none.
        target: That of the target.
        change: The target's less the baseline's, in the unit of the measure; None where it is not judged.
        share: The change as a share of the baseline's; None where that is 0, too.
        reason: Why it is not judged, one line; empty where it is.
    """

    measure: Measure
    baseline: float | None
    target: float | None
    change: Interval | None = None
    share: Interval | None = None
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """What can be said: where the interval holds zero, no difference was seen."""
        if self.change is None:
            return "not judged"
        if self.change.low > 0:
            return "higher"
        return "lower" if self.change.high < 0 else "no difference seen"

    def to_record(self) -> DifferenceRecord:
        """The difference in JSON's types."""
        return {
            "measure": self.measure.name,
            "unit": self.measure.unit,
            "baseline": self.baseline,
            "target": self.target,
            "change": self.change.to_record() if self.change else None,
            "share": self.share.to_record() if self.share else None,
            "verdict": self.verdict,
            "reason": self.reason or None,
        }


def paired(measure: Measure, *, baseline: Sequence[Slice], target: Sequence[Slice]) -> Difference:
    """Compare two variants that were loaded in turn.

    Args:
        measure: What to compare.
        baseline: The rounds of the variant that the target is held against.
        target: Those of the target, each with the one in the same place.

    Raises:
        ValueError: They are not as many.
    """
    if len(baseline) != len(target):
        raise ValueError(f"{len(baseline)} rounds cannot be paired with {len(target)}")
    return _difference(measure, baseline, target, paired_margins)


def unpaired(measure: Measure, *, baseline: Sequence[Slice], target: Sequence[Slice]) -> Difference:
    """Compare two runs that were made one after the other.

    Args:
        measure: What to compare.
        baseline: The parts of the run that the target is held against.
        target: Those of the target's run.
    """
    return _difference(measure, baseline, target, welch_margins)


def _difference(
    measure: Measure,
    baseline: Sequence[Slice],
    target: Sequence[Slice],
    margins: Callable[[Figures, Figures], tuple[float, float]],
) -> Difference:
    wholes = [_figure(measure, merged(parts)) for parts in (baseline, target)]
    reads = [_read(measure, parts) for parts in (baseline, target)]
    for found in reads:
        if isinstance(found, str):
            return Difference(measure=measure, baseline=wholes[0], target=wholes[1], reason=found)
    one, other = (found for found in reads if isinstance(found, Figures))
    change, share = margins(one, other)
    ratio = other.whole / one.whole - 1 if one.whole else math.nan
    return Difference(
        measure=measure,
        baseline=one.whole,
        target=other.whole,
        change=Interval.around(other.whole - one.whole, change),
        share=None if math.isnan(share) else Interval.around(ratio, share),
    )


def _figure(measure: Measure, part: Slice) -> float | None:
    return measure.read(part) if part.requests >= measure.fewest else None


def _read(measure: Measure, parts: Sequence[Slice]) -> Figures | str:
    """The figures of a variant, or why it has none."""
    if len(parts) < FEWEST_ROUNDS:
        return f"fewer than {FEWEST_ROUNDS} rounds say nothing"
    least = min(part.requests for part in parts)
    if least < measure.fewest:
        return f"{least} requests in a round, and {measure.name} needs {measure.fewest}"
    figures = [_figure(measure, part) for part in (merged(parts), *parts)]
    known = [figure for figure in figures if figure is not None]
    if len(known) < len(figures):
        return "not known of every round"
    return Figures(known[0], tuple(known[1:]))
