"""`python -m loadtests.bench.observability_costs GROUP ROUNDS SPELL`: prints what being observed costs."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import warnings
from typing import TYPE_CHECKING, Final, cast

import orjson

from loadtests.bench.in_turn import in_turn
from loadtests.bench.observability_apps import variants
from loadtests.bench.telemetry import install

if TYPE_CHECKING:
    from loadtests.bench.names import Group

# Routes of the app, the last of which is asked for.
ROUTES: Final = (10, 500)


def measured(group: Group, rounds: int, spell: float) -> dict[str, dict[str, list[float]]]:
    """Send requests to an app with few routes, and to one with many.

    Args:
        group: which SDK this process gets.
        rounds: how many.
        spell: seconds that a variant gets for its requests in each round, or one request.

    Returns:
        µs per request by number of routes, variant and round.
    """
    settle = install(group)
    with asyncio.Runner() as runner, open(os.devnull, "w") as log:  # noqa: PTH123 - no file of ours
        return {
            str(routes): in_turn(runner, variants(group, routes, log), rounds, spell, settle=settle)
            for routes in ROUTES
        }


def main() -> None:
    """Print what the arguments ask for."""
    warnings.simplefilter("ignore")  # those of peers about each other
    logging.disable()
    group, rounds, spell = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(measured(cast("Group", group), int(rounds), float(spell))))


if __name__ == "__main__":
    main()
