"""How long somebody waits for an answer, by the heartbeat of the event loop."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

BEATS: Final = 8
# An answer that the socket holds is read, parsed and handed to who waits for it, each in a turn of the loop.
TURNS: Final = 4


class _Wait:
    __slots__ = ("began", "cancels", "over", "task")

    def __init__(self, task: asyncio.Task[object], began: int) -> None:
        self.task = task
        self.began = began
        self.cancels = task.cancelling()
        self.over = False


class _Heart:
    """The heartbeat of one event loop, which beats only while somebody waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop, interval: float) -> None:
        self.loop = loop
        # In the order in which they began.
        self.waits: dict[_Wait, None] = {}
        self._interval = interval
        self._beats = 0
        self._next: asyncio.TimerHandle | None = None

    def begin(self, task: asyncio.Task[object]) -> _Wait:
        wait = _Wait(task, self._beats)
        self.waits[wait] = None
        if self._next is None:
            self._next = self.loop.call_later(self._interval, self._beat)
        return wait

    def _beat(self) -> None:
        self._beats += 1
        for wait in self.waits:
            # The first beat may come right after a wait has begun.
            if self._beats - wait.began <= BEATS:
                break
            if not wait.over:
                wait.over = True
                self._end(wait, TURNS)
        self._next = self.loop.call_later(self._interval, self._beat) if self.waits else None

    def _end(self, wait: _Wait, turns: int) -> None:
        if wait not in self.waits:
            return
        if turns:
            self.loop.call_soon(self._end, wait, turns - 1)
        else:
            wait.task.cancel()


class Deadlines:
    """Ends waits that take too long.

    A deadline by the clock blames the store for an event loop that was busy elsewhere: the answer lies in
    the socket, and the timer fires first. Here time goes by in beats of the loop. One that comes late counts
    once, however late it is, and between the last beat and the end the loop reads what is there.

    Args:
        seconds: that a wait may take; up to an eighth more, on a loop that is not held up.
    """

    def __init__(self, seconds: float) -> None:
        self._interval = seconds / BEATS
        self._hearts: dict[asyncio.AbstractEventLoop, _Heart] = {}

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Wait inside for no longer than the deadline.

        Raises:
            TimeoutError: it took longer.
        """
        loop = asyncio.get_running_loop()
        heart = self._hearts.get(loop)
        if heart is None:
            heart = self._begin(loop)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a store is asked from within a task")
        wait = heart.begin(task)
        try:
            yield
        except asyncio.CancelledError:
            # As asyncio.timeout() does it: whoever else cancelled the task at the same time wins.
            if wait.over and task.uncancel() <= wait.cancels:
                raise TimeoutError from None
            raise
        finally:
            heart.waits.pop(wait, None)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> _Heart:
        self._hearts = {other: heart for other, heart in self._hearts.items() if not other.is_closed()}
        self._hearts[loop] = heart = _Heart(loop, self._interval)
        return heart
