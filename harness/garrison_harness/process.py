"""Starts a command in a session of its own, keeps its logs, and ends all of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness import interruption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LEASH = Path(__file__).with_name("leash.py")
_TAIL_BYTES = 64 * 1024
_SCHEDULER_CLOCK = 2  # CPUCLOCK_SCHED of Linux: what the scheduler has counted, in nanoseconds


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

    def terminate(self) -> None:
        """Ask the command itself to stop, and nobody else in its group."""
        if self.exit_status() is None:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(self._process.pid, signal.SIGTERM)

    def memory(self) -> int | None:
        """Resident bytes of the whole group; None where the system has no `/proc`."""
        return sum(map(_resident, self._members())) or None

    def cpu(self) -> float | None:
        """CPU time that the group has used so far, in seconds; None where the system has no `/proc`.

        What a process used that has ended since is not among it.
        """
        spent = [used for number in self._members() if (used := cpu_time(number)) is not None]
        return sum(spent) if spent else None

    def _members(self) -> list[int]:
        directories = Path("/proc").glob("[0-9]*")
        return [int(one.name) for one in directories if _group(one) == self._process.pid]

    def end(self, *, grace: float = 3.0) -> None:
        """End the whole group: ask with SIGTERM, insist with SIGKILL after `grace` seconds."""
        try:
            if self.exit_status() is None:
                self._signal(signal.SIGTERM)
                deadline = time.monotonic() + grace
                while self.exit_status() is None and time.monotonic() < deadline:
                    if interruption.insisted():
                        break
                    time.sleep(0.02)
        finally:
            if not self._ended:
                self._ended = True
                self._signal(signal.SIGKILL)
                self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _group(directory: Path) -> int | None:
    """The process group of a process (proc_pid_stat(5)); None where it has ended."""
    try:
        # The name in parentheses may hold blanks and parentheses itself.
        return int((directory / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, ValueError, IndexError):
        return None  # it ended while it was looked at


def _resident(number: int) -> int:
    """Resident bytes of a process (proc_pid_statm(5)); 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_time(number: int) -> float | None:
    """CPU seconds of all threads that a process has or had, to the nanosecond; None where it has ended.

    The clock of another process has the number that clock_getcpuclockid(3) makes of its id, for which Python
    has no name; `/proc` tells the same in steps of 10 ms, which is too coarse for a second of light load.

    Args:
        number: The id of the process.
    """
    try:
        return time.clock_gettime(~number << 3 | _SCHEDULER_CLOCK)
    except OSError:
        return None


def _last_lines(path: Path, lines: int) -> list[str]:
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]
