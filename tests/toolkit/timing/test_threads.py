"""Whether a task waits for a thread."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import pytest
from asgiref.sync import sync_to_async
from starlette.concurrency import run_in_threadpool

from garrison.timing.threads import waits_for_thread
from tests.toolkit.driver import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Wait = Callable[[Callable[[], object]], Awaitable[object]]


async def until(condition: Callable[[], bool]) -> None:
    """Poll until it is true."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError


async def in_executor(work: Callable[[], object]) -> None:
    """As raw asyncio has it."""
    await asyncio.get_running_loop().run_in_executor(None, work)


async def shielded(work: Callable[[], object]) -> None:
    """Behind `asyncio.shield`."""
    await asyncio.shield(asyncio.to_thread(work))


async def in_a_task(work: Callable[[], object]) -> None:
    """In a task of its own."""
    await asyncio.create_task(asyncio.to_thread(work))


async def in_a_group(work: Callable[[], object]) -> None:
    """Inside of a task group."""
    async with anyio.create_task_group():
        await anyio.to_thread.run_sync(work)


async def for_django(work: Callable[[], object]) -> None:
    """As Django runs its views."""
    await sync_to_async(work, thread_sensitive=False)()


@pytest.mark.parametrize(
    "wait",
    [
        asyncio.to_thread,
        in_executor,
        shielded,
        in_a_task,
        in_a_group,
        for_django,
        anyio.to_thread.run_sync,
        run_in_threadpool,
    ],
)
def test_a_thread_is_seen(wait: Wait) -> None:
    """As long as it runs, however it was started."""

    async def main() -> None:
        begun, may_end, seen = threading.Event(), threading.Event(), asyncio.Event()

        def work() -> None:
            begun.set()
            may_end.wait(5)

        async def handler() -> None:
            await wait(work)
            await seen.wait()

        task = asyncio.create_task(handler())
        await until(begun.is_set)
        assert waits_for_thread(task)
        may_end.set()
        await until(lambda: not waits_for_thread(task))
        assert not task.done()
        seen.set()
        await task

    run(main())


@pytest.mark.parametrize("make", [asyncio.Event, anyio.Event])
def test_what_is_async_is_no_thread(make: Callable[[], asyncio.Event | anyio.Event]) -> None:
    """An event, a lock or a socket can be given up."""

    async def main() -> None:
        event = make()

        async def handler() -> None:
            await event.wait()

        task = asyncio.create_task(handler())
        await asyncio.sleep(0)
        assert not waits_for_thread(task)
        event.set()
        await task

    run(main())


def test_a_place_in_the_queue_is_no_thread() -> None:
    """Who waits for a thread to be free can be cancelled, and then never gets one."""

    async def main() -> None:
        may_end = threading.Event()
        limiter = anyio.CapacityLimiter(1)
        with ThreadPoolExecutor(1) as pool:
            loop = asyncio.get_running_loop()

            async def pooled() -> None:
                await loop.run_in_executor(pool, may_end.wait, 5)

            async def limited() -> None:
                await anyio.to_thread.run_sync(may_end.wait, 5, limiter=limiter)

            for one in (pooled, limited):
                first = asyncio.create_task(one())
                await until(partial(waits_for_thread, first))
                second = asyncio.create_task(one())
                await asyncio.sleep(0.05)
                assert [waits_for_thread(first), waits_for_thread(second)] == [True, False]
                second.cancel()
                may_end.set()
                await asyncio.gather(first, second, return_exceptions=True)
                may_end.clear()

    run(main())
