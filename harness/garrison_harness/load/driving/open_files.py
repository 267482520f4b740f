"""How many files, and so connections, the load process may have open at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from garrison_harness.target import UsageFault

MOST: Final = 65_536
"""More than that are not asked for: it is as many connections as there are ports on an address."""

RESERVE: Final = 50
"""What a load process has open beside the connections of its users: modules, logs, its event loop."""


def allow_open_files() -> int:
    """Raise what this process may have open to what its hard limit allows, as plain Locust does.

    The usual limit of a shell is 1024, which a thousand users reach.

    Returns:
        How many users may have a connection each.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource  # noqa: PLC0415 - not on every system

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        return MOST if soft == resource.RLIM_INFINITY else max(1, soft - RESERVE)
    return MOST


def require_open_files(users: int, most: int) -> None:
    """Refuse users who could not all have a connection: the target would get the blame for that.

    Args:
        users: How many there are to be in this process.
        most: What `allow_open_files` returned.

    Raises:
        UsageFault: They are more.
    """
    if users > most:
        raise UsageFault(
            f"{users:,} users in one load process need {users + RESERVE:,} open files, and this system allows"
            f" {most + RESERVE:,}: raise the hard limit (ulimit -Hn), take fewer users, or share them out"
            " with --workers"
        )
