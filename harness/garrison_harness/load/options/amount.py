"""How much load the options ask for, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.plan import MAX_USERS, Plan
from garrison_harness.load.profiles import PROFILES, STRESS
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.load.options.given import Given
    from garrison_harness.load.profiles import Profile

USERS: Final = 10
"""Users of a run that says nothing about them."""

DURATION: Final = 10.0
"""Seconds of a run that says nothing about them."""

UNBOUNDED_RATE: Final = 100_000.0
"""Arrivals per second that can be asked for at most, and that a search for the capacity goes up to where
nobody bounds it: out of reach."""


def amount_of(given: Given) -> Plan:
    """A plan that says how much load there is and for how long, and nothing else yet.

    Args:
        given: The options.

    Raises:
        UsageFault: Options do not go together.
    """
    _check(given)
    profile = PROFILES[given["profile"]] if given["profile"] is not None else None
    rate, users = given["rate"], given["users"] or (profile.users if profile else USERS)
    if profile is not None and profile.name == STRESS and rate is None and given["users"] is None:
        rate = UNBOUNDED_RATE
    duration = given["duration"] or (profile.duration if profile else DURATION)
    return Plan(
        users=users,
        spawn_rate=given["spawn_rate"] or users,
        rate=rate,
        max_users=given["max_users"] or MAX_USERS,
        profile=profile.name if profile else None,
        stages=profile.stages(users if rate is None else rate, duration) if profile else (),
        duration=duration,
    )


def is_open(given: Given) -> bool:
    """Whether the options ask for arrivals on schedule, as `--rate` does.

    Args:
        given: The options.
    """
    return given["rate"] is not None or (given["profile"] == STRESS and given["users"] is None)


def _check(given: Given) -> None:
    if given["rate"] is not None:
        for flag, value in (("--users", given["users"]), ("--spawn-rate", given["spawn_rate"])):
            if value is not None:
                raise UsageFault(
                    f"{flag} does not go with --rate: arrivals on schedule take as many users as they need,"
                    " up to --max-users"
                )
    elif given["max_users"] is not None and not is_open(given):
        raise UsageFault("--max-users bounds the users of --rate: say --users, or add a rate")
    if given["profile"] is None:
        return
    if given["spawn_rate"] is not None:
        raise UsageFault("--spawn-rate does not go with --profile, which says how the users come and go")
    if given["profile"] == STRESS and given["compare"] is not None:
        raise UsageFault(
            f"--compare does not go with --profile {STRESS}, whose load depends on the target: compare at a"
            " load that both carry"
        )


def summary(profile: Profile) -> str:
    """A profile in a line of the help."""
    minutes, seconds = divmod(round(profile.duration), 60)
    length = f"{minutes}m" if not seconds else f"{round(profile.duration)}s"
    peak = "--rate or --users bounds it" if profile.name == STRESS else f"{profile.users} users"
    return f"{profile.name} ({peak}, {length}): {profile.summary}"
