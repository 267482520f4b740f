"""How long something takes, told by a neighbour that wants the processor all the while.

Where a machine is busy, whoever has work to do gets as much of the processor as a neighbour that never rests;
whoever waits gets nothing, and the neighbour goes on. So its seconds tell a wait from a busy machine, which
those on the wall do not.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

# Ends with whoever started it, and in any case.
CODE = """
import os, time
parent = os.getppid()
while os.getppid() == parent and time.process_time() < 100:
    pass
"""


class Neighbour:
    """A process that does nothing, as fast as it can."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = psutil.Process(process.pid)

    @property
    def seconds(self) -> float:
        """How long it has run on a processor; on an idle machine, how long it has been there."""
        times = self._process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def neighbour() -> Iterator[Neighbour]:
    """One that is there until the end of the block."""
    process = subprocess.Popen([sys.executable, "-I", "-S", "-c", CODE])
    try:
        yield Neighbour(process)
    finally:
        process.kill()
        process.wait()
