"""The process that makes the load: `python -m garrison_harness.load.driving.locust_child PLAN STREAM`.

Locust patches the standard library for gevent, so it has a process of its own.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

# It patches when it is imported, and what imports ssl has to come after that.
import locust  # noqa: F401 # isort: skip

from garrison_harness.load.delta import Delta
from garrison_harness.load.driving.leading import lead
from garrison_harness.load.driving.loading import LocustfileFault
from garrison_harness.load.driving.run import Run
from garrison_harness.load.driving.working import Place, work
from garrison_harness.load.plan import Plan
from garrison_harness.load.stream import tell
from garrison_harness.target import UsageFault


def main(plan: str, stream: str) -> None:
    """Run the plan of one file and tell into the other."""
    read, to = Plan.read(Path(plan)), Path(stream)
    match read.role:
        case "master":
            lead(read, to)
        case "worker":
            assert read.bind is not None  # noqa: S101 - for the type checker: it says where the master is
            work(Place(address=read.bind, max_wait=read.max_wait, locustfile=read.locustfile), to)
            # What is still to be sent to a master that is gone would be waited for.
            sys.stdout.flush()
            os._exit(0)
        case "local":
            try:
                Run(read, partial(tell, to)).run()
            except (LocustfileFault, UsageFault) as fault:
                tell(to, Delta(ended="refused", fault=str(fault)))


if __name__ == "__main__":
    main(*sys.argv[1:])
