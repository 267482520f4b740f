"""What the generator reaches here and now against a server that does nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness.load.generator import generate
from garrison_harness.running import running
from garrison_harness.target import TargetFailed, parse_target

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan

DURATION: Final = 1.0
"""How long the generator is tried, in seconds."""

MOST_USERS: Final = 50
"""More of them for one load process do not reach more: one core is used up long before."""


def calibrate(plan: Plan) -> float | None:
    """Requests per second that this generator reaches when nothing slows it down.

    The users are those that ask for paths, whatever the plan says: what a locustfile does beside its requests
    is its own affair, and shows as CPU time.

    Args:
        plan: What is to be run afterwards.

    Raises:
        KeyboardInterrupt: The process was told to end.

    Returns:
        The rate, or None where it could not be found out.
    """
    # -P keeps the current directory off the path: a module of the app must not stand in for one of these.
    command = [sys.executable, "-P", "-m", "garrison_harness.load.null_server", "{port}", str(plan.workers)]
    try:
        with running(parse_target(command)) as up:
            outcome = generate(calibrating(plan).at(up.base_url), up)
    except TargetFailed:
        return None
    if outcome.how == "interrupted":
        raise KeyboardInterrupt
    return outcome.account.rate or None if outcome.how == "finished" else None


def calibrating(plan: Plan) -> Plan:
    """The plan of the trial: as many users as the run has, as fast as they can.

    Args:
        plan: That of the run.
    """
    users = min(plan.users if plan.model == "closed" else plan.max_users, MOST_USERS * plan.workers)
    return replace(
        plan,
        users=users,
        spawn_rate=users,
        rate=None,
        stages=(),
        duration=DURATION,
        grace=DURATION,
        paths=("/",),
        requests=(),
        locustfile=None,
        mix=(),
        expected=(),
        sample_every=0.0,
    )
