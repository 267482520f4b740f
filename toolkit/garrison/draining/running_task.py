"""The running task, at a price that every request can pay."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

if sys.version_info >= (3, 12):
    running_task = asyncio.current_task
else:
    # Before 3.12 asyncio's own is written in Python, and takes as long as a third of a layer. The look-up is
    # the same, and 3.11 gets no changes but for security any more.
    from asyncio.tasks import _current_tasks  # type: ignore[attr-defined] # typeshed leaves it out

    def running_task() -> asyncio.Task[Any] | None:
        """The task that runs in the running loop."""
        task: asyncio.Task[Any] | None = _current_tasks.get(asyncio.get_running_loop())
        return task
