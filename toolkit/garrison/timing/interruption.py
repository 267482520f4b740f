"""Ending what a task waits for from outside, and nothing else of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Self


class Interruption:
    """One stretch of a task that somebody else may cancel: what `asyncio.timeout` does, without its timer.

    Used as a context manager around the stretch. A cancellation of the server or of the client that comes at
    the same time goes through, as `asyncio.Task.uncancel` has it.

    Args:
        loop: the running one.

    Attributes:
        task: that is inside; None where none is.
        made: whether it was cancelled.
    """

    __slots__ = ("_before", "_loop", "made", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.task: asyncio.Task[Any] | None = None
        self.made = False

    def __enter__(self) -> Self:
        self.task = asyncio.current_task(self._loop)
        self._before = 0 if self.task is None else self.task.cancelling()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.task = None

    def make(self) -> None:
        """Cancel the task, if one is inside, and only once."""
        if self.task is not None and not self.made:
            self.made = True
            self.task.cancel()

    async def call(self, awaitable: Awaitable[None]) -> None:
        """Await something that is the whole of the stretch, and end without a word where it was ended.

        Args:
            awaitable: an app, that may make of a cancellation whatever it likes.
        """
        try:
            await awaitable
        except asyncio.CancelledError:
            if not self.take_back():
                raise
        except BaseException:
            self.take_back()
            raise
        else:
            self.take_back()

    def take_back(self) -> bool:
        """Undo what was made, from inside of the stretch, and say whether there was no other cancellation."""
        return self.made and self.task is not None and self.task.uncancel() <= self._before
