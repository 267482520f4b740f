"""All drills in the order in which they are run: what an app depends on, the app, those who use it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from garrison_harness.drills.handler_exceptions import HANDLER_EXCEPTIONS
from garrison_harness.drills.log_stall import LOG_STALLED
from garrison_harness.drills.slow_clients import SLOW_CLIENTS
from garrison_harness.drills.stop import STOPPED
from garrison_harness.drills.store_outage import STORE_FROZEN, STORE_KILLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.drills.drill import Drill

DRILLS: Final = (STORE_KILLED, STORE_FROZEN, STOPPED, LOG_STALLED, SLOW_CLIENTS, HANDLER_EXCEPTIONS)
"""In that order."""


def choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Drill, ...]:
    """The drills to run.

    Args:
        select: Names of those to run; all of them where none is given.
        ignore: Names of those to leave out.

    Raises:
        ValueError: There is no such drill, or none is left.
    """
    names = [drill.name for drill in DRILLS]
    for name in (*select, *ignore):
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise ValueError(f"{name!r} is no drill: {hint}")
    chosen = tuple(
        drill for drill in DRILLS if (not select or drill.name in select) and drill.name not in ignore
    )
    if not chosen:
        raise ValueError("--select and --ignore leave no drill to run: ignore fewer")
    return chosen
