"""Variants that are measured in turn, each for as many requests as a short spell has room for."""

from __future__ import annotations

import gc
import random
from typing import TYPE_CHECKING, Final

from loadtests.bench.measure import PLAIN, cost

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from loadtests.bench.measure import Sent, Variant

# Requests before the first round, and a variant that takes longer than this, in µs, is in few of them.
WARM_UP: Final = 50
LONG: Final = 20_000
FEW: Final = 3
# The order of variants changes from round to round, and is the same in every run.
SEED: Final = 20


def settled() -> None:
    """Do nothing: there is nothing to wait for."""


def in_turn(
    runner: asyncio.Runner,
    apps: list[Variant],
    rounds: int,
    spell: float,
    *,
    sent: Sent = PLAIN,
    settle: Callable[[], None] = settled,
) -> dict[str, list[float]]:
    """Send a request to every variant, many times in each round.

    Args:
        runner: the event loop.
        apps: the variants.
        rounds: how many.
        spell: seconds that a variant gets for its requests in each round, or one request.
        sent: the request.
        settle: empties what the requests of one spell have filled.

    Returns:
        µs per request by variant and round; a slow variant is in the first rounds only.
    """

    def spent(app: Variant, requests: int) -> float:
        return runner.run(cost(app, requests, settle, sent))

    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, no secret
    requests: dict[str, int] = {}
    for app in apps:
        first = spent(app, 1)
        first = spent(app, 1 if first > LONG else WARM_UP)
        requests[app.name] = 0 if first > LONG else max(int(spell * 1e6 / first), 1)
    gc.collect()
    gc.freeze()
    found: dict[str, list[float]] = {app.name: [] for app in apps}
    for number in range(rounds):
        order = [app for app in apps if requests[app.name] or number < FEW]
        shuffle(order)
        for app in order:
            found[app.name].append(spent(app, requests[app.name] or 1))
    return found
