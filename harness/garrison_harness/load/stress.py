"""Raises the load step by step until something gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from garrison_harness.load.aborting import AbortWatch
from garrison_harness.load.account import Account
from garrison_harness.load.capacity import STEPS, Capacity, Search, Step, first_level
from garrison_harness.load.carrying import WHOLE, is_of_a_step, judge_step
from garrison_harness.load.forks import forks
from garrison_harness.load.generator import Outcome, generate
from garrison_harness.load.health import Health, assess
from garrison_harness.load.plan import Plan
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.generator import Listener
    from garrison_harness.load.thresholds import Threshold
    from garrison_harness.running import Running

SHORTEST_STEP: Final = 1.0
"""Seconds that a step must last, for its percentiles to mean something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explored:
    """What a search came to.

    Attributes:
        capacity: What was found.
        plan: That of the step which `outcome` tells of.
        outcome: How the search ended, and what was seen in the highest step that held; where none did, in
            the last one.
        health: The generator's, in the step that broke because of it, if one did, else in the same step.
        everything: What was seen in all steps together.
    """

    capacity: Capacity
    plan: Plan
    outcome: Outcome
    health: Health
    everything: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    step: Step
    plan: Plan
    outcome: Outcome
    health: Health


def step_of(plan: Plan, steps: int = STEPS) -> Plan:
    """The plan of one step, whose level is still to be put in.

    Args:
        plan: That of the whole search.
        steps: How many there are.

    Raises:
        UsageFault: That leaves too little time.
    """
    seconds = plan.duration / steps
    if seconds < SHORTEST_STEP:
        raise UsageFault(
            f"--profile stress takes {steps} steps, and --duration {plan.duration:g}s leaves {seconds:.2g} s"
            f" for each: give at least --duration {SHORTEST_STEP * steps:g}s"
        )
    return replace(plan, duration=seconds, stages=())


def explore(
    plan: Plan,
    running: Running,
    thresholds: Sequence[Threshold],
    *,
    ceiling: float | None = None,
    listener: Listener | None = None,
    log_directory: Path | None = None,
    steps: int = STEPS,
) -> Explored:
    """Search for the capacity of a target that is up.

    Args:
        plan: The highest load to try, as its `rate` or its `users`, and the longest that all steps may take.
        running: The target.
        thresholds: What it must keep in a step that holds; lower bounds are for the capacity itself.
        ceiling: What the generator reaches against a server that does nothing, in requests per second.
        listener: Called as that of a run is, with what was seen in all steps so far.
        log_directory: Where the logs of the load process go and stay.
        steps: How many loads are tried at most.

    Raises:
        UsageFault: There is too little time, or the locustfile cannot be used.
    """
    template, whole = step_of(plan, steps), plan.model == "closed"
    most = float(plan.users) if plan.rate is None else plan.rate
    search = Search(first=first_level(most, whole=whole), most=most, whole=whole, steps=steps)
    joined, tried, again = _Joined(listener), list[_Tried](), None
    with forks(log_directory / "load" if log_directory else None) as made:
        while (level := search.following()) is not None:
            asked = at_level(template, level)
            joined.begin(AbortWatch(filter(is_of_a_step, thresholds)))
            outcome = generate(asked, running, listener=joined.hear, log_directory=log_directory, forks=made)
            health = assess(outcome.account, asked, ceiling=ceiling)
            step = judge_step(level, asked, outcome, thresholds, health, [one.step for one in tried])
            # What else runs on this machine may have had its way for a moment.
            if step.limited and level != again and search.repeat():
                again = level
                continue
            tried.append(_Tried(step=step, plan=asked, outcome=outcome, health=health))
            search.tell(level, held=step.held)
            if outcome.how not in WHOLE:
                break
    return _found(plan, tried, joined.account)


def at_level(plan: Plan, level: float) -> Plan:
    """The plan of a step with its level: arrivals per second in the open model, users in the closed one.

    Args:
        plan: What `step_of` made.
        level: How much load.
    """
    if plan.model == "open":
        return replace(plan, rate=level)
    return replace(plan, users=round(level), spawn_rate=max(1.0, level))


def _found(plan: Plan, tried: Sequence[_Tried], everything: Account) -> Explored:
    unit = "users" if plan.model == "closed" else "arrivals/s"
    capacity = Capacity(unit=unit, steps=tuple(one.step for one in tried))
    shown = next((one for one in tried if one.step is capacity.best), tried[-1])
    broke = next((one for one in tried if one.step is capacity.broke and one.step.limited), None)
    health = replace(broke.health, reasons=broke.health.reasons or (broke.step.why,)) if broke else None
    outcome, last = shown.outcome, tried[-1].outcome
    # A step that gave way is what the search looks for; what ended the search itself is told.
    if last.how not in WHOLE:
        outcome = replace(outcome, how=last.how, detail=last.detail)
    return Explored(
        capacity=capacity,
        plan=shown.plan,
        outcome=outcome,
        health=health or shown.health,
        everything=everything,
    )


class _Joined:
    """Puts what is heard of a step where it belongs in the time of the whole search."""

    def __init__(self, listener: Listener | None) -> None:
        self.account = Account()
        self._listener = listener
        self._abort: AbortWatch | None = None

    def begin(self, abort: AbortWatch) -> None:
        """A step begins, which a threshold may end early."""
        self._abort = abort

    def hear(self, account: Account, delta: Delta) -> str | None:
        """Take in a delta of a step, as one of the whole too."""
        began = self.account.began or delta.began
        offset = delta.began - began
        samples = [replace(sample, at=sample.at + offset) for sample in delta.samples]
        shifted = replace(delta, at=delta.at + offset, began=began, samples=samples)
        self.account.add(shifted)
        told = self._listener(self.account, shifted) if self._listener is not None else None
        return told or (self._abort(account, delta) if self._abort is not None else None)
