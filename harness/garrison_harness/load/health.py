"""Whether the generator itself was the limit of a run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypedDict

from garrison_harness.load.thresholds import format_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.account import Account
    from garrison_harness.load.plan import Plan

BUSY: Final = 0.9
"""Share of the time that a load process runs, or waits for a core, from which on it is what is slow. Locust
warns at the same share of a core, and does not see that it waits."""

BUSY_TIME: Final = 0.1
"""Share of the run that a load process may be busy: what it slows then is not yet the 90th percentile."""

LATE_SHARE: Final = 0.001
"""Share of the arrivals that may start late by the generator's own doing."""

FEWEST_LATE: Final = 10
"""Arrivals that must be late for their share to say something: one moment without a core makes a few."""

STOLEN: Final = 0.05
"""Share of the machine's CPU time that its host may give to others."""

NEAR_CEILING: Final = 0.7
"""Share of what the generator reaches with a server that does nothing from which on its own work counts."""


class HealthRecord(TypedDict):
    """The generator's health in JSON; null where it is not known, or there is no such thing."""

    cpu: float
    waited: float
    busy: float
    late: int
    starved: int
    stolen: float | None
    ceiling: float | None
    limited: bool
    reasons: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the generator did.

    Attributes:
        cpu: What the load process used of one core, as a share, over the whole run; of several the busiest.
        waited: How long it was ready to run and had no core, as a share of the run.
        busy: The share of the run in which both together were above 90 % for one of them.
        late: Arrivals that started late, or never, although users were free.
        starved: Arrivals that started late, or never, because the target kept all users waiting.
        stolen: The share of the machine's CPU time that its host gave to others; None where it is not known.
        ceiling: Requests per second that the generator reaches here against a server that does nothing; None
            where it was not calibrated.
        lateness: What there is to say of arrivals that were late, one line; empty where none was.
        late_share: How many of the arrivals were.
        reasons: Why the generator was the limit, one line each with what to do; none where it was not.
        notes: What else is worth knowing, one line each.
    """

    cpu: float = 0.0
    waited: float = 0.0
    busy: float = 0.0
    late: int = 0
    starved: int = 0
    stolen: float | None = None
    ceiling: float | None = None
    lateness: str = ""
    late_share: float = 0.0
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def limited(self) -> bool:
        """Whether the generator was the limit."""
        return bool(self.reasons)

    def moves(self, percent: float) -> bool:
        """Whether late arrivals, which are slow requests, are as many as half of those above a percentile.

        Args:
            percent: Which one, 100 for the slowest request.
        """
        return self.late_share > (1 - percent / 100) / 2

    def to_record(self) -> HealthRecord:
        """The health in JSON's types."""
        return {
            "cpu": self.cpu,
            "waited": self.waited,
            "busy": self.busy,
            "late": self.late,
            "starved": self.starved,
            "stolen": self.stolen,
            "ceiling": self.ceiling,
            "limited": self.limited,
            "reasons": list(self.reasons),
            "notes": list(self.notes),
        }


def assess(
    account: Account, plan: Plan, *, stolen: float | None = None, ceiling: float | None = None
) -> Health:
    """Judge the generator by what it told, and by the machine it ran on.

    Args:
        account: What the load processes saw.
        plan: What they were to do.
        stolen: The share of CPU time that the host gave to others meanwhile; None where it is not known.
        ceiling: What they reach against a server that does nothing, in requests per second; None where that
            was not tried.
    """
    seconds = [second for second in account.series if second.width]
    time = sum(second.width for second in seconds)
    busy = sum(second.width for second in seconds if second.busiest > BUSY)
    arrivals, busiest = account.arrivals, account.busiest
    return _with_words(
        account,
        plan,
        Health(
            cpu=busiest.cpu / account.duration if account.duration else 0.0,
            # The time after the last request, in which a load process ends, is not in the duration.
            waited=min(1.0, busiest.waited / account.duration) if account.duration else 0.0,
            busy=busy / time if time else 0.0,
            late=arrivals.late + arrivals.dropped - arrivals.starved,
            starved=arrivals.starved,
            stolen=stolen,
            ceiling=ceiling,
        ),
    )


def _with_words(account: Account, plan: Plan, health: Health) -> Health:
    if health.late:
        due = account.arrivals.due
        said = f"{health.late:,} of {due:,} arrivals were not started in time although users were free"
        health = replace(health, late_share=health.late / due, lateness=f"{said}: {_cure(plan, health)}")
    reasons, notes = tuple(_reasons(account, plan, health)), tuple(_notes(account, plan, health))
    return replace(health, reasons=reasons, notes=notes)


def _reasons(account: Account, plan: Plan, health: Health) -> Iterator[str]:
    if health.busy > BUSY_TIME:
        waiting = "" if health.waited < health.cpu / 10 else f", and waited for one for {health.waited:.0%}"
        yield (
            f"{_busiest(plan)} was busy for {format_share(health.busy)} of the time: it used"
            f" {health.cpu:.0%} of a core{waiting}; {_cure(plan, health)}"
        )
    if health.late >= FEWEST_LATE and health.late_share > LATE_SHARE:
        yield health.lateness
    if health.stolen is not None and health.stolen > STOLEN:
        yield (
            f"the host of this machine took {format_share(health.stolen)} of its CPU time away: run again"
            " when it is quieter, or on another machine"
        )
    rate = _rate(account, plan)
    if health.ceiling and rate / health.ceiling > NEAR_CEILING:
        share = f"{rate / health.ceiling:.0%} of" if rate < health.ceiling else "no less than"
        yield (
            f"{rate:,.0f} requests/s are {share} the {health.ceiling:,.0f}/s that"
            f" {_all_of(plan)} here with a server that does nothing: {_cure(plan, health)}"
        )


def _notes(account: Account, plan: Plan, health: Health) -> Iterator[str]:
    due = account.arrivals.due
    if due and health.starved / due > LATE_SHARE:
        yield (
            f"{health.starved:,} of {due:,} arrivals found all {plan.max_users:,} users waiting for replies:"
            " the target does not keep up with this rate, or --max-users is too low for it"
        )


def _cure(plan: Plan, health: Health) -> str:
    # What waits for a core more than it uses one is slow because of others.
    if health.waited > health.cpu:
        return "end what else runs on this machine, or load from another"
    ask = "lower --rate" if plan.model == "open" else "take fewer users"
    return f"{ask}, load with more --workers, or load from a machine with more free cores"


def _busiest(plan: Plan) -> str:
    return "the load process" if plan.workers == 1 else f"the busiest of {plan.workers} load processes"


def _all_of(plan: Plan) -> str:
    return "the load process reaches" if plan.workers == 1 else f"{plan.workers} load processes reach"


def _rate(account: Account, plan: Plan) -> float:
    """The highest rate that there was where the load changes, and the mean rate where it does not."""
    if not plan.stages:
        return account.rate
    whole = [second.rate for second in account.series if second.width >= account.series.step / 2]
    return max(whole, default=account.rate)
