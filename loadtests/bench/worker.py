"""The processes that measure, one for each SDK, as the process that reports sees them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.names import Group

if TYPE_CHECKING:
    from collections.abc import Iterator

# A round takes less than a second where the machine is idle; a stack may wait for what never comes.
ANSWER_TIMEOUT: Final = 90


class WorkerError(Exception):
    """A worker cannot measure; the message says why, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A process that owns the variants of one group.

    Attributes:
        group: which SDK it has.
        connection: gives the names of its variants when they are built; then takes names and a number of
            requests, and gives µs by name.
    """

    group: Group
    connection: Connection[Any, Any]

    def names(self) -> list[str]:
        """Wait until the variants are built, and name them; to be asked once.

        Raises:
            WorkerError: if one cannot be built or does not serve.
        """
        names: list[str] = self._answer()
        return names

    def round(self, order: list[str], requests: int) -> dict[str, float]:
        """Measure each variant once.

        Args:
            order: names of variants.
            requests: sent to each of them.

        Returns:
            µs per request by name.

        Raises:
            WorkerError: if a variant does not serve, or the process has ended.
        """
        us: dict[str, float] = self._answer((order, requests))
        return us

    def _answer(self, question: tuple[list[str], int] | None = None) -> Any:
        try:
            if question is not None:
                self.connection.send(question)
            if not self.connection.poll(ANSWER_TIMEOUT):
                raise WorkerError(
                    f"the process for {self.group!r} gave no answer for {ANSWER_TIMEOUT} seconds"
                )
            answer = self.connection.recv()
        except (EOFError, ConnectionError):
            raise WorkerError(f"the process for {self.group!r} ended while it measured") from None
        if isinstance(answer, WorkerError):
            raise answer
        return answer


@contextmanager
def started(group: Group) -> Iterator[Worker]:
    """A worker that builds its variants meanwhile, and is ended in any case.

    Args:
        group: which SDK it gets.
    """
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "loadtests.bench.serve", group, str(theirs.fileno())]
    with interrupts_ignored():
        # Every stack writes its access log to standard output, as in a container; nobody reads it.
        process = subprocess.Popen(  # noqa: S603 - our own module and a name of ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment(),
        )
    theirs.close()
    try:
        yield Worker(group=group, connection=ours)
    finally:
        ours.close()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def environment() -> dict[str, str]:
    """That of this process, without what it sets for OpenTelemetry or slowapi, which is not compared."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "RATELIMIT_"))}


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, although it does reach the whole process group."""
    # A child inherits that it is ignored, and ends with its pipe.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
