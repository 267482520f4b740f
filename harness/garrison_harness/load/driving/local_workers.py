"""Workers on this machine: forks of the process that leads them, made before it does anything else."""

from __future__ import annotations

import os
import random
import secrets
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gevent import os as gevent_os

from garrison_harness.load.driving.working import Place, work
from garrison_harness.load.tether import end_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PORT_BYTES: Final = 2


class LocalWorkers:
    """Processes that wait to be told where their master is.

    Attributes:
        token: What they know, and nobody else.
    """

    def __init__(self, count: int, stream: Path) -> None:
        """Fork them.

        Args:
            count: How many.
            stream: Where the master tells; each of them tells into a file beside it.
        """
        self.token = secrets.token_hex(16)
        self._reading, self._writing = os.pipe()
        self._living: dict[int, int] = {}
        master = os.getpid()
        for number in range(count):
            child = gevent_os.fork()
            if not child:
                self._become_worker(number, master, worker_stream(stream, number))
            self._living[child] = number
        os.close(self._reading)

    def _become_worker(self, number: int, master: int, stream: Path) -> None:
        status = 1
        try:
            there = end_with(master)
            os.close(self._writing)
            # Nothing comes where the master has ended before it was to be found anywhere.
            told = os.read(self._reading, _PORT_BYTES)
            if there and len(told) == _PORT_BYTES:
                random.seed()
                address = "127.0.0.1", int.from_bytes(told, "big")
                work(Place(address=address, number=number, token=self.token), stream)
                status = 0
        except BaseException:  # noqa: BLE001 - whatever it was, this process must not go on to lead
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def meet(self, port: int) -> None:
        """Tell them where their master is.

        Args:
            port: Of 127.0.0.1.
        """
        os.write(self._writing, port.to_bytes(_PORT_BYTES, "big") * len(self._living))

    def ended(self) -> Iterator[tuple[int, str]]:
        """Those that have ended since the last look: which, and how."""
        for child in list(self._living):
            # The hub takes the status of a child as soon as it ends, and this one asks the hub.
            found, status = gevent_os.waitpid(child, os.WNOHANG)
            if found:
                code = os.waitstatus_to_exitcode(status)
                yield self._living.pop(child), f"signal {-code}" if code < 0 else f"exit status {code}"

    def kill(self) -> None:
        """End those that are still there."""
        for child in self._living:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
                gevent_os.waitpid(child, 0)
        self._living.clear()


def worker_stream(stream: Path, number: int) -> Path:
    """Where a worker tells what it saw itself.

    Args:
        stream: Of its master.
        number: Which one it is, from 0.
    """
    return stream.with_name(f"worker-{number + 1}.jsonl")
