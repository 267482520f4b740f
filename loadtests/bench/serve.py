"""`python -m loadtests.bench.serve GROUP FD`: measures one group's variants whenever it is asked to.

It says the names of its variants, then answers `(names, requests)` with µs per request by name, until
the other end of the pipe is closed.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final, cast

from loadtests.bench.measure import cost
from loadtests.bench.telemetry import install
from loadtests.bench.variants import variants
from loadtests.bench.worker import WorkerError

if TYPE_CHECKING:
    from loadtests.bench.names import Group

# Requests before the first round: enough for CPython to specialise the code that they run.
WARM_UP: Final = 100


def serve(connection: Connection[Any, Any], group: Group) -> None:
    """Measure until nobody asks any more.

    Args:
        connection: to the process that asks.
        group: which SDK this process gets.

    Raises:
        EOFError: the other end is closed.
        WrongReplyError: a variant does not serve.
    """
    settle = install(group)
    owned = {variant.name: variant for variant in variants(group)}
    with asyncio.Runner() as runner:
        for variant in owned.values():
            runner.run(cost(variant, WARM_UP, settle))
        gc.collect()
        gc.freeze()  # what start-up has made is no garbage, and need not be looked through in every round
        connection.send(list(owned))
        while True:
            order, requests = connection.recv()
            connection.send({name: runner.run(cost(owned[name], requests, settle)) for name in order})


def main() -> None:
    """Serve the pipe that the command line names."""
    group, descriptor = sys.argv[1:]
    pipe: Connection[Any, Any] = Connection(int(descriptor))
    try:
        serve(pipe, cast("Group", group))
    except (EOFError, ConnectionError):
        return  # nobody asks any more
    except Exception as error:  # noqa: BLE001 - the other end prints it, whatever it was
        pipe.send(WorkerError(f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
