"""`python -m loadtests.bench.stores`: what one decision of a quota costs, in a process of its own.

It prints `Costs` as JSON. All times are CPU time of the event loop's thread.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from loadtests.bench.deciders import bursts
from loadtests.bench.measure import Variant, cost
from loadtests.bench.names import BARE
from loadtests.bench.spells import key_of, per_key
from loadtests.bench.variants import trivial_app

if TYPE_CHECKING:
    from loadtests.bench.deciders import Burst


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one decision costs.

    Attributes:
        name: of what decides.
        alone: µs, always for the same key, one decision after the other.
        live: µs, for random keys out of many, with a turn of the event loop between two decisions, as in
            a server; the turn is not counted, and what it does for the store is.
    """

    name: str
    alone: float
    live: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What was measured.

    Attributes:
        bare: µs of a request to the bare app, in the same process.
        costs: of one decision, by what decides.
        live: keys in the column of that name.
    """

    bare: float
    costs: list[Cost]
    live: int


def costs(live: int, spell: float) -> Costs:
    """Measure everything once.

    Args:
        live: keys for the column of that name.
        spell: seconds of CPU that each figure takes, or three bursts if those take longer.
    """
    with asyncio.Runner() as runner:
        bare = Variant(name=BARE, app=trivial_app())
        rounds = [runner.run(cost(bare, 200, lambda: None)) for _ in range(15)]
    found = [_cost(name, burst, live, spell) for name, burst in bursts().items()]
    return Costs(bare=statistics.median(rounds), costs=found, live=live)


def main() -> None:
    """Print what the arguments ask for."""
    live, spell = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(asdict(costs(int(live), float(spell)))))


def _cost(name: str, burst: Burst, live: int, spell: float) -> Cost:
    async def both() -> tuple[float, float]:
        alone = await per_key(burst, ["203.0.113.7"], spell, hits=1000)
        keys = [key_of(number) for number in range(live)]
        await burst(keys)
        random.shuffle(keys)
        return alone, await per_key(burst, keys, spell, turns=True)

    gc.collect()
    # Shortly before, because a shared machine changes its speed; in a loop that no store has tasks in.
    turn = asyncio.run(per_key(_nothing, [""], spell, turns=True))
    alone, crowded = asyncio.run(both())
    return Cost(name=name, alone=alone, live=max(crowded - turn, 0.0))


async def _nothing(keys: list[str]) -> None:
    for _ in keys:
        pass


if __name__ == "__main__":
    main()
