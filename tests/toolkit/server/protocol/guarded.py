"""Servers with a guarded protocol, as processes on loopback, gone after the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[4]
# Against hanging only.
SECONDS: Final = 45.0

# Each parser, with the event loop that it is usually installed with.
PARSERS: Final = {
    "h11": ("over_h11:GuardedH11Protocol", "asyncio"),
    "httptools": ("over_httptools:GuardedHttpToolsProtocol", "uvloop"),
}


class Guarded:
    """A server that is up.

    Attributes:
        port: on loopback.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = psutil.Process(process.pid)
        self._log = log
        self.port = int(self.wait_for("port")["port"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """The whole lines that it has written; each must be a JSON object."""
        text = self._log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]

    def wait_for(
        self, event: str, after: int = 0, peer: int | None = None, path: str | None = None
    ) -> dict[str, Any]:
        """The first event of a name behind so many others, of a client with this port or about this path."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            for each in self.events[after:]:
                is_its = peer in {None, each.get("network.peer.port")}
                if each["event"] == event and is_its and path in {None, each.get("url.path")}:
                    return each
            time.sleep(0.01)
        raise TimeoutError(self._log.read_text(encoding="utf-8"))

    def settled(self) -> int:
        """How many events there are when those of every earlier request are written."""
        path = f"/settled/{uuid.uuid4().hex}"
        ask(self.port, path)
        self.wait_for("http.request", path=path)
        return len(self.events)

    @property
    def seconds(self) -> float:
        """CPU time that it has taken."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    @property
    def connections(self) -> int:
        """How many connections it holds."""
        return sum(bool(each.raddr) for each in self._process.net_connections("tcp"))

    @property
    def memory(self) -> int:
        """Bytes that it has in memory."""
        return int(self._process.memory_info().rss)


@contextmanager
def guarded(parser: str, folder: Path, **settings: str) -> Iterator[Guarded]:
    """A server on this parser with these settings."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("GARRISON_")}
    log = folder / f"{parser}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.toolkit.server.protocol.echoing", *PARSERS[parser]],
            cwd=ROOT,
            env={**kept, **settings, "PYTHONPATH": str(ROOT)},
            stdout=stream,
            stderr=stream,
        )
    try:
        yield Guarded(process, log)
    finally:
        process.kill()
        process.wait(SECONDS)
