"""Load processes that are forked from one that has imported Locust already, one for each round."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from garrison_harness import interruption
from garrison_harness.process import Child
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDER: Final = "order"
"""The file that asks for a load process: the paths of its plan and its stream, a line each."""

PID_SUFFIX: Final = ".pid"
STATUS_SUFFIX: Final = ".status"
"""Beside the stream: the id of the load process, and its exit status once it has ended."""

_POLL = 0.02  # seconds
_LAST_WORDS = 2.0  # seconds that a process that was killed may take to be gone


class LoadProcess(Protocol):
    """A process that makes load."""

    def exit_status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that it wrote."""

    def end(self, *, grace: float) -> None:
        """End it: ask with SIGTERM, insist with SIGKILL after `grace` seconds."""


class Forks:
    """Makes load processes, one after the other."""

    def __init__(self, child: Child, directory: Path) -> None:
        """Take over a process that serves orders.

        Args:
            child: It has imported Locust, or is about to.
            directory: Where it takes orders.
        """
        self.child = child
        self._directory = directory

    def start(self, plan: Path, stream: Path) -> LoadProcess:
        """Ask for a load process.

        Args:
            plan: What it does.
            stream: Where it tells of it.
        """
        order = self._directory / ORDER
        fresh = order.with_suffix(".new")
        fresh.write_text(f"{plan}\n{stream}", encoding="utf-8")
        fresh.replace(order)
        return _Fork(self.child, stream)


class _Fork:
    """A load process that was asked for."""

    def __init__(self, server: Child, stream: Path) -> None:
        self._server = server
        self._pid = stream.with_suffix(PID_SUFFIX)
        self._status = stream.with_suffix(STATUS_SUFFIX)

    def exit_status(self) -> int | None:
        """The exit status, or that of the process it was to be forked from."""
        status = _number(self._status)
        return self._server.exit_status() if status is None else status

    def log_tail(self, lines: int) -> list[str]:
        """What it wrote, and what load processes before it did."""
        return self._server.log_tail(lines)

    def end(self, *, grace: float) -> None:
        """End it, and the process that forks where it was not forked yet: nobody asks for another then."""
        if self.exit_status() is not None:
            return
        number = _number(self._pid)
        if number is None:
            self._server.end(grace=0)
            return
        for word, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, _LAST_WORDS)):
            with suppress(ProcessLookupError):
                os.kill(number, word)
            deadline = time.monotonic() + patience
            while self.exit_status() is None and time.monotonic() < deadline:
                if word == signal.SIGTERM and interruption.insisted():
                    break
                time.sleep(_POLL)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


@contextmanager
def forks(logs: Path | None) -> Iterator[Forks]:
    """A process that forks load processes, gone with all of them afterwards.

    Args:
        logs: Where its log goes and stays; nowhere otherwise.

    Raises:
        UsageFault: The log cannot be written.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-load-")))
        logs = logs or directory
        # -P keeps the current directory off the path, as for a load process that is started alone.
        command = [sys.executable, "-P", "-m", "garrison_harness.load.driving.forks", str(directory)]
        try:
            logs.mkdir(parents=True, exist_ok=True)
            child = Child(command, logs=logs, environment={"PYTHONUNBUFFERED": "1"})
        except OSError as error:
            raise UsageFault(
                f"cannot write logs to {logs}: {error.strerror}; give another --log-directory"
            ) from error
        stack.callback(child.end, grace=0)
        yield Forks(child, directory)
