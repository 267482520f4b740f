"""What a run says in the end: passed, failed, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison_harness.load.health import LATE_SHARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.arrivals import Arrivals
    from garrison_harness.load.capacity import Capacity
    from garrison_harness.load.generator import Outcome
    from garrison_harness.load.health import Health
    from garrison_harness.load.promise import Promise
    from garrison_harness.load.thresholds import Judgement, Threshold

Verdict = Literal["passed", "failed", "inconclusive"]

EXIT_STATUSES: Final[dict[Verdict, int]] = {"passed": 0, "failed": 1, "inconclusive": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The verdict on a run.

    Attributes:
        verdict: In one word.
        reason: Why it is so, one line, where the thresholds alone do not say it; None otherwise.
    """

    verdict: Verdict
    reason: str | None = None


def rule(
    outcome: Outcome,
    judgements: Sequence[Judgement],
    *,
    health: Health,
    promises: Sequence[Promise] = (),
    unsettled: Sequence[str] = (),
    capacity: Capacity | None = None,
) -> Ruling:
    """Say what a run comes to. The table of `docs/how-to/load-thresholds.md` is this function.

    Args:
        outcome: How it ended, and what was seen.
        judgements: What became of the thresholds.
        health: How the generator did.
        promises: What became of the hardening under load.
        unsettled: Why a comparison concludes nothing; empty where it does, or where there is none.
        capacity: What a search found; None where there was none.
    """
    if (cut := _cut_short(outcome)) is not None:
        return Ruling(verdict="inconclusive", reason=cut)
    if (idle := _sent_nothing(outcome)) is not None:
        return Ruling(verdict="failed", reason=idle)
    missed = [one for one in judgements if not one.passed and not one.undecided]
    excused = [one for one in missed if one.actual is not None and excuse(one.threshold, health)]
    broken = [promise for promise in promises if promise.verdict == "broken"]
    aborted = _aborted(outcome) if outcome.how == "aborted" else None
    if broken:
        return Ruling(verdict="failed", reason=aborted or _broken(broken))
    if capacity is not None and capacity.best is None:
        return Ruling(verdict="inconclusive" if capacity.limited else "failed", reason=capacity.describe())
    if len(missed) > len(excused):
        return Ruling(verdict="failed", reason=aborted)
    # What kept a comparison from concluding anything says more than that its thresholds are undecided.
    doubts = [*unsettled, *_doubts(outcome, judgements, excused, health)]
    if doubts:
        return Ruling(verdict="inconclusive", reason=doubts[0])
    return Ruling(verdict="passed")


def excuse(threshold: Threshold, health: Health) -> str | None:
    """How the generator can be why a threshold is missed, one line; None where it cannot.

    Args:
        threshold: What was missed.
        health: How the generator did.
    """
    if not _can_cause(threshold):
        return None
    if whole := [reason for reason in health.reasons if reason != health.lateness]:
        return whole[0]
    if threshold.metric.source == "arrivals":
        return health.lateness or None if health.late > health.starved else None
    # Which of the requests of a name were late is not known.
    percent = {"med": 50.0, "max": 100.0}.get(threshold.metric.name, threshold.metric.percent)
    if percent and threshold.selector is None and threshold.metric.source == "requests":
        return health.lateness if health.moves(percent) else None
    return health.reasons[0] if health.reasons else None


def _can_cause(threshold: Threshold) -> bool:
    """Whether a generator that is the limit can make a threshold be missed.

    It makes latencies longer and requests fewer. It makes no error, no refusal, and no memory grow.
    """
    if threshold.metric.source in {"arrivals", "comparison"}:
        return True
    match threshold.dimension:
        case "time":
            return threshold.comparison not in {">", ">="}
        case "rate" | "count":
            return not threshold.upper
    return False


def _cut_short(outcome: Outcome) -> str | None:
    after = f"after {outcome.account.duration:.1f} s; what was measured until then is partial"
    because = f" ({outcome.detail})" if outcome.detail else ""
    match outcome.how:
        case "interrupted":
            return f"interrupted {after}"
        case "target died":
            return f"the target died under load{because} {after}"
        case "generator died":
            return f"the load process died{because} {after}"
        case "generator stuck":
            return f"the load process did not end in time, and was killed {after}"
    return None


def _sent_nothing(outcome: Outcome) -> str | None:
    tally = outcome.account.tally
    if tally.requests:
        return None
    kinds = f": {next(iter(tally.kinds))}" if tally.kinds else ""
    return f"no request was sent{kinds}; a run that measures nothing proves nothing"


def _aborted(outcome: Outcome) -> str:
    return f"aborted after {outcome.account.duration:.1f} s: {outcome.detail}"


def _broken(promises: Sequence[Promise]) -> str:
    more = f", and {len(promises) - 1} more" if len(promises) > 1 else ""
    return f"under load the target did not keep what it keeps when quiet: {promises[0].title}{more}"


def _doubts(
    outcome: Outcome, judgements: Sequence[Judgement], excused: Sequence[Judgement], health: Health
) -> Iterator[str]:
    if excused:
        # What ended a run says itself what was missed.
        missed = f"{excused[0].threshold.expression} was missed"
        missed = _aborted(outcome) if outcome.how == "aborted" else missed
        yield f"{missed}, but the generator was the limit: {excuse(excused[0].threshold, health)}"
    if health.limited and _unreached(outcome.account.arrivals):
        yield f"the target was not loaded as asked, since the generator was the limit: {health.reasons[0]}"
    for judgement in judgements:
        if judgement.undecided and judgement.actual is None:
            yield f"{judgement.threshold.expression} cannot be told: {judgement.describe()}"
        elif judgement.undecided:
            yield (
                f"{judgement.threshold.expression} cannot be told from {judgement.describe()}, which is"
                " uncertain by more than that: a longer --duration narrows it"
            )


def _unreached(arrivals: Arrivals) -> bool:
    return arrivals.dropped > LATE_SHARE * arrivals.due
