"""Real servers as processes on loopback, gone after the test."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
# Against hanging only.
SECONDS: Final = 45.0

# How each is started, without a log of its requests.
COMMANDS: Final = {
    "uvicorn with h11": "uvicorn {app} --factory --port {port} --http h11 --log-level critical",
    "uvicorn with httptools": "uvicorn {app} --factory --port {port} --http httptools --log-level critical",
    "granian": "granian {app} --factory --port {port} --interface asgi --workers 1 --no-access-log",
    "hypercorn": "hypercorn {app}() --bind 127.0.0.1:{port} --workers 0 --graceful-timeout 0",
}


@dataclass(frozen=True)
class Server:
    """A server that is up.

    Attributes:
        name: a key of `COMMANDS`.
        port: on loopback.
        process: that was started; the one that serves may be a child.
        log: what it has written.
    """

    name: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def memory(self) -> int:
        """Bytes of the process and its children that are in memory."""
        first = psutil.Process(self.process.pid)
        return sum(int(each.memory_info().rss) for each in [first, *first.children(recursive=True)])


@contextmanager
def serving(name: str, app: str, logs: Path) -> Iterator[Server]:
    """A server with this app, as an import string of a function that makes it, until the end of the block."""
    port = free_port()
    words = COMMANDS[name].format(app=app, port=port).split()
    log = logs / f"{words[0]}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        _wait_until_up(process, port, log)
        yield Server(name, port, process, log)
    finally:
        # The whole group, which is its own: one that forks leaves nobody behind.
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, number)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    continue


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(log.read_text(encoding="utf-8"))
