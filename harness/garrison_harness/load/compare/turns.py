"""Loads variants of a target in turn, in many short rounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.load.account import Account
from garrison_harness.load.compare.cpu import spent_between
from garrison_harness.load.compare.order import orders
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.forks import forks
from garrison_harness.load.generator import Outcome, generate
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.forks import Forks
    from garrison_harness.load.generator import Listener
    from garrison_harness.load.logging_in import Headers
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running

ROUNDS = 10
"""Rounds, where nobody says otherwise: with Student's t of 2.3, more would narrow the interval little."""

SHORTEST_TURN = 0.2
"""Seconds that a variant must be loaded in a round; opening connections is too much of a shorter turn."""


class Variant:
    """One of the targets that take turns.

    Attributes:
        running: The target, which is up.
        name: What it is called where something happens to it; empty for the target itself.
        headers: The lines of every request to it; None for those of the plan.
        listener: Called as that of a run is, with what was seen in all rounds so far, joined end to end.
        rounds: What each whole round came to.
        account: Everything that was seen, of the last round too where that was cut short.
    """

    def __init__(
        self,
        running: Running,
        *,
        name: str = "",
        headers: Headers | None = None,
        listener: Listener | None = None,
    ) -> None:
        self.running = running
        self.name = name
        self.headers = headers
        self.listener = listener
        self.rounds: list[Slice] = []
        self.account = Account()


def turn_of(plan: Plan, rounds: int) -> Plan:
    """The part of a plan that is done in one round: all of it, in less time.

    Args:
        plan: What a variant meets in all rounds together.
        rounds: How many there are.

    Raises:
        UsageFault: That leaves too little time.
    """
    seconds = plan.duration / rounds
    if seconds < SHORTEST_TURN:
        raise UsageFault(
            f"--duration {plan.duration:g}s in {rounds} rounds leaves {seconds:.3g} s for each: give at least"
            f" --duration {SHORTEST_TURN * rounds:g}s, or fewer --rounds"
        )
    stages = tuple(replace(stage, seconds=stage.seconds / rounds) for stage in plan.stages)
    return replace(plan, duration=seconds, stages=stages)


def take_turns(
    variants: Sequence[Variant],
    plan: Plan,
    *,
    rounds: int = ROUNDS,
    warm_up: bool = True,
    log_directory: Path | None = None,
) -> Outcome:
    """Load each variant once in every round, after one round that does not count.

    Whole rounds only count as such: what was seen of a round that was cut short is in the accounts.

    Args:
        variants: What to load; what was seen is written into them.
        plan: What each meets in all rounds together.
        rounds: How many there are.
        warm_up: Begin with a round that is thrown away, for code that runs for the first time.
        log_directory: Where the logs of the load process go and stay.

    Returns:
        How the last turn ended, with the account of the last variant.

    Raises:
        UsageFault: The plan is too short for so many rounds, or its locustfile cannot be used.
    """
    turn = turn_of(plan, rounds)
    with forks(log_directory / "load" if log_directory else None) as made:
        for number, order in enumerate(orders(len(variants), rounds + warm_up)):
            done: dict[int, Slice] = {}
            for place in order:
                variant, counts = variants[place], number >= warm_up
                ended, done[place] = _turn(variant, turn, counts=counts, made=made)
                if ended.how != "finished":
                    detail = ": ".join(filter(None, (variant.name, ended.detail)))
                    return replace(ended, detail=detail, account=variants[-1].account)
            if number >= warm_up:
                for place, part in done.items():
                    variants[place].rounds.append(part)
    return Outcome(how="finished", account=variants[-1].account)


def _turn(variant: Variant, plan: Plan, *, counts: bool, made: Forks) -> tuple[Outcome, Slice]:
    joined = _Joined(variant) if counts else None
    if variant.headers is not None:
        plan = replace(plan, headers=variant.headers)
    before = variant.running.cpu()
    outcome = generate(
        plan.at(variant.running.base_url),
        variant.running,
        listener=joined.hear if joined else None,
        forks=made,
    )
    cpu = spent_between(before, variant.running.cpu())
    account = outcome.account
    return outcome, Slice.of(account.tally, duration=account.duration, cpu=cpu)


class _Joined:
    """Puts what is heard of a round behind what was heard of the rounds before."""

    def __init__(self, variant: Variant) -> None:
        self._variant = variant
        self._offset = variant.account.duration

    def hear(self, _account: Account, delta: Delta) -> str | None:
        """Take in a delta of this round, as one of the whole."""
        whole = self._variant.account
        began = whole.began or delta.began
        # Samples keep their true time: what is counted by the minute is counted by the clock.
        samples = [replace(one, at=one.at + delta.began - began) for one in delta.samples]
        shifted = replace(delta, at=delta.at + self._offset, began=began, samples=samples)
        whole.add(shifted)
        listener = self._variant.listener
        return listener(whole, shifted) if listener else None
