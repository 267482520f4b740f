"""A constant load: requests begin at their times, whatever became of those before.

It runs in this process and not in Locust's, although that makes more requests: a drill needs few of them, and
of each the moment at which it was due, sent and answered, on the one clock that also says when something was
broken. It needs no extra either. A request is a task of its own, on a connection of its own, and its latency
counts from the time at which it was due, so neither a target that stalls nor a loop that is late hides
anything (coordinated omission).
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import TYPE_CHECKING, Final, Self, TypeVar

from garrison_harness import interruption
from garrison_harness.drills.recording import Ask
from garrison_harness.drills.wire import PATIENCE, ask

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from concurrent.futures import Future

    from garrison_harness.drills.addresses import Addresses
    from garrison_harness.drills.wire import Place

T = TypeVar("T")

MOST_RATE: Final = 500.0
"""Requests a second that this process can send on time beside all else that it does."""

_MOST_UNDER_WAY: Final = 4000  # connections; a target that answers nothing takes this many in PATIENCE
_SETTLE: Final = 2.0  # seconds beyond what a request may take
_POLL: Final = 0.02


class ConstantLoad:
    """Requests to a target at a constant rate, from a thread of its own, until it is left."""

    def __init__(self, place: Place, paths: Sequence[str], rate: float, addresses: Addresses) -> None:
        """Prepare it.

        Args:
            place: Where requests go.
            paths: What they ask for, in turn.
            rate: Requests a second.
            addresses: Where they come from; each has another.
        """
        self.place = place
        self.addresses = addresses
        self._heads = itertools.cycle([place.lines(path) for path in paths])
        self._rate = rate
        self._asks: list[Ask] = []
        self._began = time.perf_counter()
        self._ready = threading.Event()
        self._finished = threading.Event()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="garrison-drill", daemon=True)
        self._loop: asyncio.AbstractEventLoop
        self._over = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.finish()
        # Nobody waits for replies when the drill is over for another reason.
        self._loop.call_soon_threadsafe(self._drop)
        self._thread.join()

    def now(self) -> float:
        """Seconds since the load began."""
        return time.perf_counter() - self._began

    def do(self, work: Coroutine[object, object, T]) -> Future[T]:
        """Have the thread of the load do something else too.

        Args:
            work: What to do.
        """
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def done(self, work: Coroutine[object, object, T], seconds: float) -> T:
        """Have it do something, and wait for that.

        Args:
            work: What to do.
            seconds: How long it may take.

        Raises:
            TimeoutError: It took longer.
            KeyboardInterrupt: This process was told to end.
        """
        future = self.do(work)
        interruption.settle([future], seconds)
        return future.result()

    def finish(self) -> tuple[Ask, ...]:
        """Begin no more requests, wait for those under way, and return all by the time they were due.

        What else it was given to do goes on until the load is left.

        Raises:
            KeyboardInterrupt: This process was told to end.
        """
        self._loop.call_soon_threadsafe(self._over.set)
        until = time.monotonic() + PATIENCE + 2 * _SETTLE
        while not self._finished.wait(_POLL) and time.monotonic() < until:
            interruption.check()
        return self.asks()

    def asks(self) -> tuple[Ask, ...]:
        """All that are over, by the time they were due."""
        return tuple(sorted(self._asks, key=lambda one: one.due))

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._arrive())
            except asyncio.CancelledError:
                return

    async def _arrive(self) -> None:
        self._began = time.perf_counter()
        self._main = asyncio.current_task()
        self._ready.set()
        for number in itertools.count():
            due = number / self._rate
            # What is overdue begins at once: a late loop omits nothing.
            if (early := due - self.now()) > 0:
                await self._pause(early)
            if self._over.is_set():
                break
            self._begin(due)
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=PATIENCE + _SETTLE)
        self._finished.set()
        await asyncio.Event().wait()  # until it is left

    def _begin(self, due: float) -> None:
        if len(self._under_way) >= _MOST_UNDER_WAY:
            now = self.now()
            self._asks.append(Ask(due=due, began=now, ended=now, failure="not sent"))
            return
        task = asyncio.get_running_loop().create_task(self._ask(due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _ask(self, due: float) -> None:
        address = self.addresses.new()
        self._asks.append(await ask(self.place, next(self._heads), self.now, due=due, address=address))

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._over.wait()
        except TimeoutError:
            return

    def _drop(self) -> None:
        if self._main is not None:
            self._main.cancel()
