"""Runs as they could have been, for what judges them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.delta import Delta
from garrison_harness.load.plan import Plan
from garrison_harness.load.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tally(*milliseconds: float, status: int = 200, error: str | None = None) -> Tally:
    """Requests with these latencies."""
    made = Tally()
    for latency in milliseconds:
        made.reply(latency / 1000, status=status, error=error)
    return made


def account(
    names: Mapping[str, Tally] | None = None,
    *,
    tags: Mapping[str, Tally] | None = None,
    duration: float = 2.0,
    cpu: Sequence[float] = (0.5,),
    waited: float = 0.0,
    arrivals: Arrivals | None = None,
) -> Account:
    """A run whose requests ended in its first part.

    Args:
        names: Requests by name; one unless given.
        tags: Requests by tag.
        duration: Of the run, in seconds.
        cpu: What the load process used of one core in each part of the run.
        waited: How long it had no core, as a share.
        arrivals: What became of them.
    """
    made, width = Account(), duration / len(cpu)
    for number, share in enumerate(cpu):
        first = number == 0
        made.add(
            Delta(
                at=width * (number + 1),
                width=width,
                cpu=share * width,
                waited=waited * width,
                names=dict({"GET /": tally(1)} if names is None else names) if first else {},
                tags=dict(tags or {}) if first else {},
                arrivals=arrivals if arrivals is not None and first else Arrivals(),
            )
        )
    return made


CLOSED = Plan(base_url="http://127.0.0.1:8000", users=3, spawn_rate=3, duration=2.0)
OPEN = Plan(base_url="http://127.0.0.1:8000", rate=1000, max_users=50, duration=2.0)
