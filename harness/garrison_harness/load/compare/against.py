"""Loads a target, alone or in turn with what it is held against."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from garrison_harness.load.account import Account
from garrison_harness.load.compare.comparison import BARE, Comparison
from garrison_harness.load.compare.cpu import CpuTrack
from garrison_harness.load.compare.earlier import Earlier
from garrison_harness.load.compare.parts import cut
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.compare.turns import ROUNDS, Variant, take_turns, turn_of
from garrison_harness.load.generator import Outcome, generate
from garrison_harness.load.health import Health, assess
from garrison_harness.load.logging_in import Headers, logged_in
from garrison_harness.login.settings import Login
from garrison_harness.running import running
from garrison_harness.target import Target, UsageFault

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.load.delta import Delta
    from garrison_harness.load.generator import Listener
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """The same app without what hardens it.

    Attributes:
        target: The app under a plain server.
        rounds: How often both are loaded in turn.
        headers: The lines of every request, as they were given.
        login: How to log in to it; None for not at all.
    """

    target: Target
    rounds: int = ROUNDS
    headers: Headers = ()
    login: Login | None = None


Against = Bare | Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was seen of a target, and of what it is held against.

    Attributes:
        outcome: How the run ended, and what was seen of the target.
        slices: The rounds of the target, or the parts that its run was cut into.
        baseline: The rounds of the bare app; none where it was not loaded.
        baseline_account: Everything that was seen of the bare app.
    """

    outcome: Outcome
    slices: tuple[Slice, ...]
    baseline: tuple[Slice, ...] = ()
    baseline_account: Account | None = None


def bare_of(target: Target, plan: Plan, rounds: int, *, login: Login | None = None) -> Bare:
    """What `--compare bare` holds a hardened target against.

    Args:
        target: The hardened target.
        plan: What both are to meet.
        rounds: How often they take turns.
        login: How to log in to the bare app, which knows nothing of a session with the other.

    Raises:
        UsageFault: The target is not hardened here, or the plan is too short.
    """
    if not target.harden:
        raise UsageFault(
            f"--compare {BARE} holds what --harden starts against the same app without it: add --harden,"
            " which takes module:attribute"
        )
    turn_of(plan, rounds)
    return Bare(
        target=replace(target, server="uvicorn"), rounds=rounds, headers=tuple(plan.headers), login=login
    )


def load_against(
    against: Against | None,
    up: Running,
    plan: Plan,
    *,
    listener: Listener | None = None,
    log_directory: Path | None = None,
) -> Loaded:
    """Load a target that is up; in turn with the bare app, where it is held against that.

    Args:
        against: What it is held against.
        up: The target.
        plan: What it meets, and the bare app too.
        listener: Called as that of a run is, with what is seen of the target.
        log_directory: Where logs go and stay.

    Raises:
        TargetFailed: The bare app does not start.
        UsageFault: The login failed, the locustfile cannot be used, or the logs cannot be written.
    """
    if isinstance(against, Bare):
        return _in_turn(against, up, plan, listener=listener, log_directory=log_directory)
    cpu = CpuTrack(up)

    def hear(account: Account, delta: Delta) -> str | None:
        cpu.see(account, delta)
        return listener(account, delta) if listener else None

    outcome = generate(plan, up, listener=hear, log_directory=log_directory)
    return Loaded(outcome=outcome, slices=cut(outcome.account.series, cpu))


def _in_turn(
    against: Bare, up: Running, plan: Plan, *, listener: Listener | None, log_directory: Path | None
) -> Loaded:
    logs = log_directory / BARE if log_directory else None
    with ExitStack() as stack:
        started = stack.enter_context(running(against.target, log_directory=logs))
        bare = Variant(started, name=BARE, headers=logged_in(started, against.headers, against.login))
        target = Variant(up, listener=listener)
        outcome = take_turns([bare, target], plan, rounds=against.rounds, log_directory=log_directory)
    return Loaded(
        outcome=outcome,
        slices=tuple(target.rounds),
        baseline=tuple(bare.rounds),
        baseline_account=bare.account,
    )


def compare(against: Against | None, loaded: Loaded, plan: Plan, health: Health) -> Comparison | None:
    """Hold what was seen of a target against the other variant; None where there is none.

    Args:
        against: What it is held against.
        loaded: What was seen.
        plan: What both met.
        health: How the generator did with the target.
    """
    if isinstance(against, Bare):
        account = loaded.baseline_account or Account()
        beside = assess(account, plan, stolen=health.stolen, ceiling=health.ceiling)
        return Comparison(
            baseline=BARE,
            interleaved=True,
            baseline_rounds=loaded.baseline,
            target_rounds=loaded.slices,
            # They shared one machine, so that what is said of both would mostly be said twice.
            limits=health.reasons or tuple(f"{BARE}: {one}" for one in beside.reasons),
            baseline_account=account,
        )
    if isinstance(against, Earlier):
        return Comparison(
            baseline=str(against.path),
            interleaved=False,
            baseline_rounds=against.parts,
            target_rounds=loaded.slices,
            limits=(*health.reasons, *filter(None, [against.doubt(plan, health.ceiling)])),
        )
    return None
