"""`python -m loadtests.bench.slow_bodies`: a client of a Flask app beside many whose bodies do not come."""

from __future__ import annotations

import math
import socket
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.results import Target
from loadtests.bench.wire import SILENT, UVICORN, served
from loadtests.bench.worker import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Slow clients, and requests of the ordinary one.
FULL: Final = (500, 1000)
QUICK: Final = (20, 20)

# Seconds that the ordinary client waits for a reply, and then for none any more.
PATIENCE: Final = 3.0

RUN: Final = "garrison run"
ADAPTED: Final = "a2wsgi on uvicorn"
APPS: Final = "loadtests.bench.wsgi_apps"
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    ADAPTED: (*UVICORN, *SILENT, f"{APPS}:adapted"),
    RUN: ("-m", "garrison", "run", "--port", "{port}", f"{APPS}:site"),
}

# Times the p99 without them.
MOST_TIMES: Final = 2.0

ASK: Final = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
BEGIN: Final = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100000\r\n\r\nname="
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """What the ordinary client got of one server.

    Attributes:
        alone: p99 in ms when it is the only one.
        beside: p99 in ms beside the slow ones; infinite where more than a hundredth got no reply in time.
    """

    alone: float
    beside: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        slow: clients whose bodies do not come.
        spells: by server.
    """

    slow: int
    spells: dict[str, Spell]


def measured(*, quick: bool) -> Report:
    """Serve the same app in both ways, without and with slow clients.

    Args:
        quick: to show that it runs, and no more.

    Raises:
        WorkerError: a server does not start, or does not answer a client that is alone.
    """
    slow, requests = QUICK if quick else FULL
    spells = {}
    with TemporaryDirectory() as folder:
        for name in COMMANDS:
            with served(name, Path(folder) / "log", COMMANDS) as (_, port), ExitStack() as stack:
                asked(port, requests // 5)
                alone = asked(port, requests)
                if math.isinf(alone):
                    raise WorkerError(f"{name} gave no answer for {PATIENCE:g} seconds")
                for _ in range(slow):
                    stack.enter_context(_slow_client(port))
                spells[name] = Spell(alone=alone, beside=asked(port, requests))
    return Report(slow=slow, spells=spells)


def asked(port: int, count: int) -> float:
    """The p99 in ms of requests one after the other; infinite where a reply does not come in time.

    Args:
        port: on loopback.
        count: requests, at least one.
    """
    found = []
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(count):
            began, reply = time.perf_counter(), b""
            client.sendall(ASK)
            try:
                while not reply.endswith(b"}\n"):
                    reply += _some(client)
            except TimeoutError:
                return math.inf
            found.append((time.perf_counter() - began) * 1000)
    return sorted(found)[int(count * 0.99)]


def text(report: Report) -> list[str]:
    """The figures for people.

    Args:
        report: what was measured.
    """
    head = f"p99 of a Flask app, ms, beside {report.slow} slow bodies"
    return [f"{head:<55}{'alone':>9}{'beside':>9}", *_lines(report)]


def targets(report: Report) -> list[Target]:
    """What was promised beside what was found."""
    spell = report.spells[RUN]
    times = spell.beside / spell.alone
    words = "WSGI: times the p99 beside slow bodies"
    return [Target(text=words, limit=MOST_TIMES, found=times, scaled=times, met=times <= MOST_TIMES)]


def document(report: Report) -> dict[str, Any]:
    """The same as `text`, for a JSON file, where what is infinite is null."""
    return asdict(report)


def _lines(report: Report) -> Iterator[str]:
    for name, spell in report.spells.items():
        beside = "none" if math.isinf(spell.beside) else f"{spell.beside:.1f}"
        yield f"  {name:<53}{spell.alone:>9.1f}{beside:>9}"


def _slow_client(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), PATIENCE)
    client.sendall(BEGIN)
    return client


def _some(client: socket.socket) -> bytes:
    data = client.recv(65536)
    if not data:
        raise WorkerError("a server ended the connection of an ordinary client")
    return data


if __name__ == "__main__":
    print(*text(measured(quick=False)), sep="\n")
