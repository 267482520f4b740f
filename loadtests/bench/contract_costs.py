"""`python -m loadtests.bench.contract_costs ROUNDS SPELL`: prints what requests cost.

Each of them goes to a shop whose document is enforced by nobody, by Garrison, and by its peers.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from loadtests.bench import contract_document as shop
from loadtests.bench.contract_apps import variants
from loadtests.bench.in_turn import in_turn
from loadtests.bench.measure import Sent

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
        found = {name: in_turn(runner, apps, rounds, spell, sent=sent) for name, sent in SENT.items()}
    return Measured(rounds=found, missing=missing)


def main() -> None:
    """Print what the arguments ask for."""
    warnings.simplefilter("ignore")  # those of peers about each other
    logging.disable()
    rounds, spell = sys.argv[1:]
    sys.stdout.buffer.write(orjson.dumps(asdict(measured(int(rounds), float(spell)))))


if __name__ == "__main__":
    main()
