"""Looks at what fails until it is well again, in the background of each event loop."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Probing:
    """Looks again and again, one look at a time in each event loop, whether or not anybody asks.

    Between two looks there is a timer and no task, so that nothing is left behind where an event loop ends.

    Args:
        look: says whether it is well. What it raises is no: who asks next meets it where it can be told.
        pause: seconds before each look.
    """

    def __init__(self, look: Callable[[], Coroutine[Any, Any, bool]], pause: float) -> None:
        self._look = look
        self._pause = pause
        # What comes next in each loop: the end of a pause, or of a look.
        self._next: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle | asyncio.Task[bool]] = {}

    def begin(self) -> None:
        """Look after a pause, unless this event loop has begun already."""
        loop = asyncio.get_running_loop()
        if loop in self._next:
            return
        # What was to come in a loop that has ended never does.
        self._next = {other: kept for other, kept in self._next.items() if not other.is_closed()}
        self._wait(loop)

    async def aclose(self) -> None:
        """Look no more in this event loop."""
        kept = self._next.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            kept.cancel()
        if isinstance(kept, asyncio.Task):
            await asyncio.wait([kept])

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next[loop] = loop.call_later(self._pause, self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next[loop] = task = loop.create_task(self._look())
        task.add_done_callback(partial(self._go_on, loop))

    def _go_on(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[bool]) -> None:
        if self._next.get(loop) is not task:
            return
        # Whoever cancels everything, as the end of a loop does, means this too.
        if task.cancelled() or (task.exception() is None and task.result()):
            del self._next[loop]
        else:
            self._wait(loop)
