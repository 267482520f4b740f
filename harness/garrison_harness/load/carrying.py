"""Whether a target carried a load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.load.capacity import Step
from garrison_harness.load.judging import Evidence, judge
from garrison_harness.load.thresholds import format_share
from garrison_harness.load.units import format_duration
from garrison_harness.load.verdict import excuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.generator import Outcome
    from garrison_harness.load.health import Health
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.thresholds import Threshold

TOLERATED_ERRORS: Final = 0.01
"""Errors per attempt that a step may have, where no threshold says how many."""

KEPT_UP: Final = 0.95
"""Share of the arrivals that must have been answered by the end of a step: else a queue grows."""

GAINED: Final = 1.05
"""What a doubled number of users must multiply the requests per second by: else they only wait longer."""

TAKEN_OFF: Final = 10.0
"""A 95th percentile this many times that of the first step, and above a tenth of a second, has taken off."""

_NOTICEABLE: Final = 0.1  # seconds

WHOLE: Final = ("finished", "aborted")
"""How a step ends that says something about the target."""


def judge_step(
    level: float,
    plan: Plan,
    outcome: Outcome,
    thresholds: Sequence[Threshold],
    health: Health,
    before: Sequence[Step],
) -> Step:
    """Whether a target carried a load.

    Args:
        level: How much it was.
        plan: What was asked for.
        outcome: What came of it.
        thresholds: What it must keep.
        health: The generator's.
        before: The steps so far.
    """
    account = outcome.account
    tally = account.tally
    p95 = tally.latency.quantile(95) if tally.requests else None
    step = Step(level=level, held=True, rate=account.rate, p95=p95, error_share=tally.error_share)
    if outcome.how not in WHOLE:
        ended = f"{outcome.how}{f': {outcome.detail}' if outcome.detail else ''}"
        return replace(step, held=False, why=ended)
    if (why := _gave_way(plan, outcome, thresholds)) is not None:
        # What is late in a generator that is the limit may be so for that reason; what fails is not.
        cause = None if tally.errors else _cause(outcome, thresholds, health)
        return replace(step, held=False, why=cause or why, limited=cause is not None)
    if health.limited:
        return replace(step, held=False, why=health.reasons[0], limited=True)
    if (why := _took_off(step, before, closed=plan.model == "closed")) is not None:
        limited = health.moves(95)
        return replace(step, held=False, why=health.lateness if limited else why, limited=limited)
    return step


def _cause(outcome: Outcome, thresholds: Sequence[Threshold], health: Health) -> str | None:
    """How the generator can be why a step gave way, one line; None where it cannot."""
    if health.limited:
        return health.reasons[0]
    evidence = Evidence(account=outcome.account)
    missed = (one for one in filter(is_of_a_step, thresholds) if not judge(one, evidence).passed)
    return next(filter(None, (excuse(one, health) for one in missed)), None)


def _gave_way(plan: Plan, outcome: Outcome, thresholds: Sequence[Threshold]) -> str | None:
    account = outcome.account
    if outcome.how == "aborted":
        return outcome.detail
    tally = account.tally
    if not tally.requests:
        return "no request was sent"
    evidence = Evidence(account=account)
    for threshold in filter(is_of_a_step, thresholds):
        judgement = judge(threshold, evidence)
        if not judgement.passed:
            return f"{threshold.expression} was missed: {judgement.describe()}"
    if tally.error_share > TOLERATED_ERRORS and not any(one.metric.name == "errors" for one in thresholds):
        kind = tally.kinds.most_common(1)[0][0]
        return f"{format_share(tally.error_share)} were errors, most of them {kind}"
    due, starved = account.arrivals.due, account.arrivals.starved
    if due and starved > (1 - KEPT_UP) * due:
        return (
            f"{starved:,} of {due:,} arrivals found all {plan.max_users:,} users waiting for replies: the"
            " target did not keep up"
        )
    return None


def is_of_a_step(threshold: Threshold) -> bool:
    """Whether a threshold is for each step.

    What must at least be reached is asked of the highest step; what is measured of the target, of the run.
    """
    return threshold.metric.source in {"requests", "arrivals"} and (
        threshold.dimension not in {"rate", "count"} or threshold.upper
    )


def _took_off(step: Step, before: Sequence[Step], *, closed: bool) -> str | None:
    held = [one for one in before if one.held]
    if not held or step.p95 is None:
        return None
    first, last = held[0], max((one for one in held if one.level < step.level), key=lambda one: one.level)
    if first.p95 and step.p95 > max(_NOTICEABLE, TAKEN_OFF * first.p95):
        return f"p95 took off: {format_duration(step.p95)}, from {format_duration(first.p95)} at first"
    if closed and step.level >= 2 * last.level and step.rate < GAINED * last.rate:
        return f"twice the users got no more through: {step.rate:,.0f} requests/s after {last.rate:,.0f}"
    return None
