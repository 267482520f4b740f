"""What requests feel while a Valkey server is frozen: alive for the kernel, and answering nobody."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import time
from dataclasses import dataclass
from statistics import median

from garrison.events import event_log
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import ValkeyStore
from loadtests.bench.valkey_callers import QUOTAS


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
