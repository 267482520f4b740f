"""`python -m loadtests.bench.contract_costs ROUNDS SPELL`: prints what requests cost.

Each of them goes to a shop whose document is enforced by nobody, by Garrison, and by its peers.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import sys
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import orjson

from loadtests.bench import contract_document as shop
from loadtests.bench.contract_apps import variants
from loadtests.bench.measure import Sent, cost

if TYPE_CHECKING:
    from loadtests.bench.measure import Variant

PLAIN: Final = "no body"
PARAMETERS: Final = "five parameters"
SMALL: Final = "small body"
BIG: Final = "100 KB"

SENT: Final = {
    PLAIN: Sent(path=shop.PLAIN_PATH),
    PARAMETERS: Sent(path=shop.PARAMETERS_PATH, query=shop.PARAMETERS_QUERY),
    SMALL: Sent(method="POST", path=shop.SMALL_PATH, body=shop.small()),
    BIG: Sent(method="POST", path=shop.BIG_PATH, body=shop.big()),
}

# Requests before the first round, and a variant that takes longer than this, in µs, is in few of them.
WARM_UP: Final = 50
LONG: Final = 20_000
FEW: Final = 3
# The order of variants changes from round to round, and is the same in every run.
SEED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What requests cost.

    Attributes:
        rounds: µs per request by request, variant and round; a slow variant is in the first rounds only.
        missing: what is not installed, by the variant that cannot be measured without it.
    """

    rounds: dict[str, dict[str, list[float]]]
    missing: dict[str, str]


def measured(rounds: int, spell: float) -> Measured:
    """Send every request to every variant, once per round.

    Args:
        rounds: how many.
        spell: seconds that a variant gets for its requests in each round, or one request.
    """
    apps, missing = variants()
    with asyncio.Runner() as runner:
        found = {name: _rounds(runner, apps, sent, rounds, spell) for name, sent in SENT.items()}
    return Measured(rounds=found, missing=missing)


def _rounds(
    runner: asyncio.Runner, apps: list[Variant], sent: Sent, rounds: int, spell: float
) -> dict[str, list[float]]:
    def spent(app: Variant, requests: int) -> float:
        return runner.run(cost(app, requests, _settled, sent))

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


def _settled() -> None:
    """There is nothing to wait for."""


def main() -> None:
    """Print what the arguments ask for."""
    warnings.simplefilter("ignore")  # those of peers about each other
    logging.disable()
    rounds, spell = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(asdict(measured(int(rounds), float(spell)))))


if __name__ == "__main__":
    main()
