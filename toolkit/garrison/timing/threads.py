"""Whether a task waits for a thread, which nobody can stop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# How many futures stand between a task and a thread at most; `asyncio.shield` is one.
DEEPEST: Final = 8


def waits_for_thread(task: asyncio.Task[Any]) -> bool:
    """Whether what a task waits for is being done by a thread.

    Known are `asyncio.to_thread`, `loop.run_in_executor` and what stands on them, such as asgiref's
    `sync_to_async`, and `anyio.to_thread`, in which Starlette, FastAPI and Litestar run what is not async.
    To cancel such a task would let go of the thread, not end it. What only waits for a thread to be free is
    not yet in one.

    Args:
        task: that is suspended.
    """
    return _is_done_by_thread(task, DEEPEST)


def _is_done_by_thread(awaited: object, depth: int) -> bool:
    if isinstance(awaited, concurrent.futures.Future):
        return awaited.running()
    if depth == 0 or not isinstance(awaited, asyncio.Future) or awaited.done():
        return False
    if isinstance(awaited, asyncio.Task):
        # What a task waits for is told under this name by every implementation there is.
        inner = getattr(awaited, "_fut_waiter", None)
        return _is_in_anyio_thread(awaited) or _is_done_by_thread(inner, depth - 1)
    return any(_is_done_by_thread(source, depth - 1) for source in _sources(awaited))


def _sources(future: asyncio.Future[Any]) -> Iterator[object]:
    """What a future gets its result from: asyncio ties futures together by callbacks that know both."""
    for callback, _ in getattr(future, "_callbacks", None) or ():
        if getattr(callback, "__module__", None) in {"asyncio.futures", "asyncio.tasks"}:
            for cell in getattr(callback, "__closure__", None) or ():
                found = cell.cell_contents
                if isinstance(found, asyncio.Future | concurrent.futures.Future) and found is not future:
                    yield found


def _is_in_anyio_thread(task: asyncio.Task[Any]) -> bool:
    """Whether the last but one coroutine is `anyio.to_thread.run_sync`; in front of it others wait first."""
    module = sys.modules.get("anyio.to_thread")
    if module is None:
        return False
    caller, last = None, task.get_coro()
    while (inner := getattr(last, "cr_await", None) or getattr(last, "gi_yieldfrom", None)) is not None:
        if not hasattr(inner, "cr_await") and not hasattr(inner, "gi_yieldfrom"):
            break
        caller, last = last, inner
    return getattr(caller, "cr_code", None) is module.run_sync.__code__
