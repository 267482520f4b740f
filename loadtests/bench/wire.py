"""`python -m loadtests.bench.wire`: requests a second over kept connections, the log going to a file."""

from __future__ import annotations

import math
import os
import random
import selectors
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.measure import PATH, REQUEST_HEADERS
from loadtests.bench.results import Target
from loadtests.bench.worker import WorkerError, environment, interrupts_ignored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS: Final = 32

# Rounds, and seconds of each server in each.
FULL: Final = (12, 0.6)
QUICK: Final = (2, 0.1)

STARTS_IN: Final = 60.0
PATIENCE: Final = 10.0

PLAIN: Final = "uvicorn"
LOGGED: Final = "uvicorn, with its access log"
RUN: Final = "garrison run"
PEERS: Final = "the usual recipe on uvicorn"

UVICORN: Final = ("-m", "uvicorn", "--port", "{port}")
SILENT: Final = ("--no-access-log", "--log-level", "warning")
APPS: Final = "loadtests.bench.wire_apps"
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    PLAIN: (*UVICORN, *SILENT, f"{APPS}:plain"),
    LOGGED: (*UVICORN, f"{APPS}:plain"),
    RUN: ("-m", "garrison", "run", "--port", "{port}", f"{APPS}:plain"),
    PEERS: (*UVICORN, *SILENT, f"{APPS}:recipe"),
}

# Of plain uvicorn's requests a second, in per cent, and times those of the recipe.
LEAST_SHARE: Final = 50.0
LEAST_TIMES: Final = 8.0

# The order of servers changes from round to round, and is the same in every run.
SEED: Final = 20

REQUEST: Final = b"".join(
    [
        b"GET %b HTTP/1.1\r\n" % PATH.encode(),
        *(b"%b: %b\r\n" % line for line in REQUEST_HEADERS),
        b"\r\n",
    ]
)
# What every reply begins and ends with.
BEGIN: Final = b"HTTP/1.1 200 "
END: Final = b'"lantern"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """What one server did in one round.

    Attributes:
        rate: replies a second.
        cpu: µs of CPU of the server for each; not a number where the system does not tell.
    """

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        spells: by server and round.
    """

    spells: dict[str, list[Spell]]

    def rate(self, name: str, over: str) -> float:
        """Requests a second of one server over those of another in the same round, median."""
        return self._over(name, over, lambda spell: spell.rate)

    def cpu(self, name: str, over: str) -> float:
        """CPU that another server takes for a request over what this one takes in the same round, median."""
        return self._over(over, name, lambda spell: spell.cpu)

    def _over(self, name: str, over: str, figure: Callable[[Spell], float]) -> float:
        pairs = zip(self.spells[name], self.spells[over], strict=True)
        return median(figure(one) / figure(other) for one, other in pairs)


def measured(*, quick: bool) -> Report:
    """Serve the same app in each way, and ask each of them in turn.

    Args:
        quick: to show that it runs, and no more.

    Raises:
        WorkerError: a server does not start, or does not answer.
    """
    rounds, seconds = QUICK if quick else FULL
    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, no secret
    spells: dict[str, list[Spell]] = {name: [] for name in COMMANDS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        servers = {name: stack.enter_context(served(name, folder / "log")) for name in COMMANDS}
        for process, port in servers.values():
            asked(process, port, seconds)
        for _ in range(rounds):
            order = list(servers)
            shuffle(order)
            for name in order:
                spells[name].append(asked(*servers[name], seconds))
    return Report(spells=spells)


@contextmanager
def served(
    name: str, log: Path, commands: dict[str, tuple[str, ...]] = COMMANDS
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that is ended in any case, and its port.

    Args:
        name: of the server.
        log: what its output is appended to.
        commands: words behind that of Python, by name.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, *(word.format(port=port) for word in commands[name])]
    with log.open("ab") as output, interrupts_ignored():
        process = subprocess.Popen(  # noqa: S603 - of our own words
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment()
        )
    try:
        _wait_for(process, name, port)
        yield process, port
    finally:
        process.kill()
        process.wait()


def asked(process: subprocess.Popen[bytes], port: int, seconds: float) -> Spell:
    """Send requests over kept connections, on each the next one when its reply is there.

    Args:
        process: that serves.
        port: on loopback.
        seconds: for how long.

    Raises:
        WorkerError: a reply is no 200, or does not come.
    """
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        waiting: dict[socket.socket, bytes] = {}
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ)
            waiting[client] = b""
        before, began = _cpu(process.pid), time.perf_counter()
        for client in waiting:
            client.sendall(REQUEST)
        count, until = 0, began + seconds
        while waiting:
            ready = selector.select(PATIENCE)
            if not ready:
                raise WorkerError(f"port {port} gave no answer for {PATIENCE:g} seconds")
            for key, _ in ready:
                client = key.fileobj  # type: ignore[assignment] # a socket is what was registered
                reply = waiting[client] + client.recv(65536)
                if not reply or not BEGIN.startswith(reply[: len(BEGIN)]):
                    raise WorkerError(f"port {port} answered {reply[:40]!r}")
                if not reply.endswith(END):
                    waiting[client] = reply
                    continue
                count += 1
                if time.perf_counter() < until:
                    waiting[client] = b""
                    client.sendall(REQUEST)
                else:
                    del waiting[client]
        spent, cpu = time.perf_counter() - began, _cpu(process.pid) - before
    return Spell(rate=count / spent, cpu=cpu / count * 1e6)


def text(report: Report) -> list[str]:
    """The figures for people.

    Args:
        report: what was measured.
    """
    head = f"{f'served to {CONNECTIONS} connections, log in a file':<44}{'a second':>9}{'CPU, µs':>9}"
    return [
        f"{head}{'of plain':>9}{'by CPU':>8}",
        *(_line(report, name) for name in report.spells),
        "  CPU is that of the server process for one request. By CPU: plain uvicorn's",
        "  over that, which other work on the machine changes less than the rate.",
    ]


def targets(report: Report) -> list[Target]:
    """What was promised beside what was found; met by what is above it."""
    found = [
        ("garrison run: % of plain uvicorn's rate", LEAST_SHARE, 100 * report.rate(RUN, PLAIN)),
        ("garrison run: times the recipe's rate", LEAST_TIMES, report.rate(RUN, PEERS)),
    ]
    return [
        Target(text=words, limit=limit, found=value, scaled=value, met=value >= limit)
        for words, limit, value in found
    ]


def document(report: Report) -> dict[str, Any]:
    """The same as `text`, for a JSON file."""
    return asdict(report)


def _line(report: Report, name: str) -> str:
    rate = median(spell.rate for spell in report.spells[name])
    cpu = median(spell.cpu for spell in report.spells[name])
    shares = f"{report.rate(name, PLAIN):>9.0%}{report.cpu(name, PLAIN):>8.0%}"
    return f"  {name:<42}{rate:>9.0f}{cpu:>9.1f}{shares}"


def _environment() -> dict[str, str]:
    """That of this process without what would change a server."""
    foreign = ("GARRISON_", "UVICORN_", "WEB_CONCURRENCY")
    return {name: value for name, value in environment().items() if not name.startswith(foreign)}


def _wait_for(process: subprocess.Popen[bytes], name: str, port: int) -> None:
    until = time.monotonic() + STARTS_IN
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise WorkerError(f"{name} did not start")


def _cpu(number: int) -> float:
    """Seconds of CPU that a process has taken (proc(5), stat)."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return math.nan
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    print(*text(measured(quick=False)), sep="\n")
