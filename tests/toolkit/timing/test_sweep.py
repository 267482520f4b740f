"""One look at all that waits, in each event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING

from garrison.timing import sweep
from garrison.timing.sweep import Sweep, Sweeps
from tests.toolkit.driver import run

if TYPE_CHECKING:
    import pytest


class Looked:
    """Remembers when it was looked at."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def look(self, now: float) -> None:
        """Remember it."""
        self.times.append(now)


def timers(loop: asyncio.AbstractEventLoop) -> int:
    """How many timers of a sweep wait in a loop."""
    return sum(not handle.cancelled() for handle in loop._scheduled)  # type: ignore[attr-defined]


def test_a_hundred_are_looked_at_by_one_timer() -> None:
    """However many there are; and without any there is none."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        before = timers(loop)
        swept = Sweeps(0.5).here()
        assert timers(loop) == before
        all_ = [Looked() for _ in range(100)]
        for one in all_:
            swept.add(one)
        assert timers(loop) == before + 1
        begun = loop.time()
        await asyncio.sleep(0.18)
        looks, looked = (loop.time() - begun) / 0.05, {len(one.times) for one in all_}
        assert len(looked) == 1
        assert 1 <= looked.pop() <= looks + 1
        swept.watched.clear()
        await asyncio.sleep(0.1)
        assert timers(loop) == before

    run(main())


def test_one_that_is_let_go_while_others_are_looked_at() -> None:
    """What a look does to others does not disturb it."""

    async def main() -> None:
        swept = Sweeps(0.5).here()

        class Greedy(Looked):
            def look(self, now: float) -> None:
                super().look(now)
                swept.watched.clear()

        both = [Greedy(), Greedy()]
        for one in both:
            swept.add(one)
        await asyncio.sleep(0.08)
        assert [len(one.times) for one in both] == [1, 1]

    run(main())


def test_a_loop_that_stood_still_is_nobodys_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that blocks the loop makes no other request late."""
    monkeypatch.setattr(sweep, "FROZEN", 0.2)

    async def main() -> None:
        swept = Sweeps(0.5).here()
        before, begun = swept.now(), time.monotonic()
        swept.add(Looked())
        time.sleep(0.5)  # noqa: ASYNC251 - this is what is tested
        await asyncio.sleep(0.01)
        # Most of the half second is not counted, however long the rest took.
        assert swept.now() - before < time.monotonic() - begun - 0.3

    run(main())


def test_each_loop_has_its_own() -> None:
    """One app may run in several threads, and in one loop after the other."""
    sweeps = Sweeps(1.0)
    found: list[Sweep] = []
    same: list[bool] = []
    together = threading.Barrier(2)

    async def main() -> None:
        here = sweeps.here()
        together.wait(5)
        found.append(here)
        same.append(sweeps.here() is here)
        same.append(here.loop is asyncio.get_running_loop())

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = threading.Barrier(1)
    asyncio.run(main())
    assert len({id(one) for one in found}) == 3
    assert all(same)


def test_loops_that_are_closed_are_forgotten() -> None:
    """A thousand tests with a loop each leave nothing behind."""
    sweeps = Sweeps(1.0)

    async def main() -> None:
        sweeps.here()

    for _ in range(20):
        asyncio.run(main())
    gc.collect()
    assert len(sweeps._all) <= 1


def test_nobodys_context_is_the_sweeps() -> None:
    """What the first request has in its context is not seen when others are looked at."""
    whose = ContextVar("whose", default="nobody")
    seen: list[str] = []

    class Curious:
        def look(self, now: float) -> None:
            seen.append(whose.get())

    async def main() -> None:
        whose.set("the first request")
        Sweeps(0.5).here().add(Curious())
        await asyncio.sleep(0.08)

    run(main())
    assert seen == ["nobody"]
