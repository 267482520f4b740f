"""`python -m loadtests.bench`: what Garrison costs per request, beside what people assemble today.

Exit status 0 whether the targets are met or not, because a busy machine misses them too; 2 when it
cannot be measured here, 4 when it was interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from loadtests.bench import (
    contract_table,
    end_to_end,
    generator,
    observability_table,
    overload,
    slow_bodies,
    startup,
    stores_table,
    table,
    valkey_store,
    wire,
)
from loadtests.bench.names import GROUPS
from loadtests.bench.worker import WorkerError, started

if TYPE_CHECKING:
    from loadtests.bench.names import Group
    from loadtests.bench.results import Rounds

# Rounds, and requests to each variant in each. The recipe makes four spans per request, and what is
# in the queue of a batch processor must stay below its 2,048.
FULL: Final = (80, 100)
QUICK: Final = (3, 20)
# No round begins later than this, in seconds; a slow machine gets fewer.
TIME_LIMIT: Final = 40
# The order of variants changes from round to round, and is the same in every run.
SEED: Final = 20


def main() -> int:
    """Measure, print, and write the file if one is asked for."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a few rounds: shows that it runs, and no more")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures here too")
    arguments = parser.parse_args()
    if arguments.json is not None and not _writable(arguments.json):
        print(f"bench: cannot write {arguments.json}; name a file in a folder that exists", file=sys.stderr)
        return 2
    try:
        table.machine()
    except PackageNotFoundError as error:
        print(f"bench: {error.name} is missing; python -m pip install -e '.[dev]' brings it", file=sys.stderr)
        return 2
    # Ends the workers as Ctrl-C does, instead of leaving that to the kernel.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rounds, requests = QUICK if arguments.quick else FULL
    try:
        groups = measured(rounds, requests)
        observed = observability_table.measured(quick=arguments.quick)
        contracts = contract_table.measured(quick=arguments.quick)
        stores = stores_table.measured(quick=arguments.quick)
        shared = valkey_store.measured(quick=arguments.quick)
        drill = overload.drilled(quick=arguments.quick)
        wired = wire.measured(quick=arguments.quick)
        ends = end_to_end.measured(wired, quick=arguments.quick)
        load = generator.measured(quick=arguments.quick)
        slowed = slow_bodies.measured(quick=arguments.quick)
        begun = startup.measured(quick=arguments.quick)
    except WorkerError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted before it had measured everything", file=sys.stderr)
        return 4
    found = table.Found(
        groups=groups,
        requests=requests,
        observed=observed,
        contracts=contracts,
        stores=stores,
        shared=shared,
        drill=drill,
        wired=wired,
        ends=ends,
        load=load,
        slowed=slowed,
        begun=begun,
    )
    print(table.text(found))
    if arguments.json is not None:
        arguments.json.write_bytes(orjson.dumps(table.document(found), option=orjson.OPT_INDENT_2))
    return 0


def measured(rounds: int, requests: int) -> dict[Group, Rounds]:
    """Run every variant of every group once per round.

    Args:
        rounds: how many, if there is time for them.
        requests: to each variant in each round.

    Returns:
        µs per request by group, variant and round.

    Raises:
        WorkerError: if a variant cannot be built or does not serve.
    """
    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, no secret
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(started(group)) for group in GROUPS]
        groups: dict[Group, Rounds] = {
            worker.group: {name: [] for name in worker.names()} for worker in workers
        }
        print(
            f"bench: up to {rounds} rounds, then layers, contracts and so on, in seven minutes",
            file=sys.stderr,
            flush=True,
        )
        deadline = time.monotonic() + TIME_LIMIT
        for number in range(rounds):
            if time.monotonic() > deadline:
                break
            _progress(number + 1, rounds)
            shuffle(workers)
            for worker in workers:
                order = list(groups[worker.group])
                shuffle(order)
                for name, us in worker.round(order, requests).items():
                    groups[worker.group][name].append(us)
    return groups


def _progress(number: int, rounds: int) -> None:
    if sys.stderr.isatty():
        print(f"\rround {number} of {rounds} ", end="\r", file=sys.stderr, flush=True)


def _writable(path: Path) -> bool:
    return not path.is_dir() and os.access(path if path.exists() else path.parent, os.W_OK)


if __name__ == "__main__":
    sys.exit(main())
