"""Forks a load process for each order: `python -m garrison_harness.load.driving.forks DIRECTORY`.

Importing Locust takes much longer than a round of a comparison needs to. Here it is imported once.
"""

from __future__ import annotations

import os
import random
import sys
import traceback
from pathlib import Path

from garrison_harness.load.driving.locust_child import main as make_load
from garrison_harness.load.forks import ORDER, PID_SUFFIX, STATUS_SUFFIX
from garrison_harness.load.tether import end_with

# After the import above, which patches what they would name otherwise.
from gevent import monkey, os as gevent_os  # isort: skip

_POLL = 0.005  # seconds, between two rounds; nothing is measured then
# Blocks this process as a whole; the patched one would start a loop that the load processes inherit.
_sleep = monkey.get_original("time", "sleep")
_waitpid = monkey.get_original("os", "waitpid")


def main(directory: Path) -> None:
    """Serve orders until this process is ended.

    Args:
        directory: Where orders come in.
    """
    order = directory / ORDER
    while True:
        while not order.exists():
            _sleep(_POLL)
        plan, stream = order.read_text(encoding="utf-8").split("\n")
        order.unlink()
        parent = os.getpid()
        number = gevent_os.fork()
        if not number:
            _become_load(plan, stream, parent)
        _, status = _waitpid(number, 0)
        _put(Path(stream).with_suffix(STATUS_SUFFIX), os.waitstatus_to_exitcode(status))


def _become_load(plan: str, stream: str, parent: int) -> None:
    status = 1
    try:
        if end_with(parent):
            _put(Path(stream).with_suffix(PID_SUFFIX), os.getpid())
            random.seed()
            make_load(plan, stream)
            status = 0
    except BaseException:  # noqa: BLE001 - whatever it was, this process must not go on to serve orders
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _put(path: Path, number: int) -> None:
    """Write a number in one step, so that a reader never finds half of one."""
    fresh = path.with_suffix(".new")
    fresh.write_text(str(number), encoding="ascii")
    fresh.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
