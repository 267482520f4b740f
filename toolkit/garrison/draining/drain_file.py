"""A file that tells a process to drain, for servers whose handling of signals cannot be joined."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison.events import EventLog
    from garrison.lifecycle import Lifecycle

# Half of the shortest period of a Kubernetes probe.
PERIOD: Final = 0.5


class DrainFile:
    """Begins to drain when a file is made or touched.

    A file that is there when the process starts says nothing: it outlives a container in its pod.

    Args:
        path: of the file.
        lifecycle: of the process.
        log: where the event `draining` goes.
    """

    def __init__(self, path: str, lifecycle: Lifecycle, log: EventLog) -> None:
        self._path = Path(path)
        self._lifecycle = lifecycle
        self._log = log
        self._timer: asyncio.TimerHandle | None = None
        self._before: int | None = None

    def watch(self) -> None:
        """Look for the file from now on; to be called in the event loop's thread."""
        self._before = self._touched()
        self._look_later()

    def stop(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._look)

    def _look(self) -> None:
        if self._lifecycle.deadline is not None:
            return
        touched = self._touched()
        if touched is None or touched == self._before:
            self._before = touched
            self._look_later()
            return
        self._log.emit("info", "draining", {"seconds": self._lifecycle.drain_delay})
        self._lifecycle.drain(asyncio.get_running_loop())

    def _touched(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None
