"""Starts a command in a session of its own, keeps its logs, and ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

_LEASH = Path(__file__).with_name("leash.py")
_TAIL_BYTES = 64 * 1024


class Child:
    """A command that runs in a process group of its own, with its output in two files."""

    def __init__(self, command: Sequence[str], *, logs: Path, environment: Mapping[str, str]) -> None:
        """Start the command, from a thread that outlives it: the kernel ends it with that thread.

        Args:
            command: The words of the command; the first is found on `PATH`.
            logs: An existing directory that takes `stdout.log` and `stderr.log`.
            environment: Variables on top of those of this process.

        Raises:
            OSError: A log cannot be written, or no process can be made.
        """
        self.stdout_path = logs / "stdout.log"
        self.stderr_path = logs / "stderr.log"
        with self.stdout_path.open("wb") as stdout, self.stderr_path.open("wb") as stderr:
            # -I -S: the leash needs nothing but the standard library, and starts in 10 ms.
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        self._ended = False

    @property
    def pid(self) -> int:
        """The process id, which is the id of the process group too."""
        return self._process.pid

    def exit_status(self) -> int | None:
        """The exit status, negative for a signal, or None while the command runs."""
        status = self._process.poll()
        if status is not None and not self._ended:
            # The group's id is free for reuse once its last member is gone, so what the leader left
            # behind is ended now: a signal sent later could reach a stranger.
            self._ended = True
            self._signal(signal.SIGKILL)
        return status

    def log_tail(self, lines: int) -> list[str]:
        """The last lines of stderr, or of stdout where stderr holds none."""
        for path in (self.stderr_path, self.stdout_path):
            if found := _last_lines(path, lines):
                return found
        return []

    def end(self, *, grace: float = 3.0) -> None:
        """End the whole group: ask with SIGTERM, insist with SIGKILL after `grace` seconds."""
        try:
            if self.exit_status() is None:
                self._signal(signal.SIGTERM)
                deadline = time.monotonic() + grace
                while self.exit_status() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
        finally:
            # Also on a second Ctrl-C while waiting.
            if not self._ended:
                self._ended = True
                self._signal(signal.SIGKILL)
                self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _last_lines(path: Path, lines: int) -> list[str]:
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """While inside, SIGTERM and SIGHUP raise KeyboardInterrupt: every way to stop the tool cleans up alike.

    Raises:
        KeyboardInterrupt: In the main thread, when the process is told to end.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # A signal that is ignored stays so: that is how nohup keeps a tool running.
    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
