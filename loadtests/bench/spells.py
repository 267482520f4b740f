"""How long one decision takes: CPU time of the event loop's thread, the median of many short spells."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.bench.deciders import Burst


async def per_key(
    burst: Burst, keys: list[str], spell: float, *, turns: bool = False, hits: int = 10
) -> float:
    """µs for one key, the median of bursts of some keys.

    Args:
        burst: what is measured.
        keys: asked for in their order, again and again.
        spell: seconds of CPU that this takes, or three bursts if those take longer.
        turns: let the event loop turn after each key, as in a server.
        hits: keys in a burst.
    """
    spells: list[float] = []
    place, until = 0, time.thread_time() + spell
    while len(spells) < 3 or time.thread_time() < until:
        some = [keys[(place + number) % len(keys)] for number in range(hits)]
        place += hits
        started = time.thread_time_ns()
        if turns:
            for key in some:
                await burst([key])
                await asyncio.sleep(0)
        else:
            await burst(some)
        spells.append((time.thread_time_ns() - started) / 1000 / hits)
    return statistics.median(spells)


def key_of(number: int) -> str:
    """One of a crowd of keys, all of the same length."""
    return f"key {number:016}"
