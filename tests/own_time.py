"""An event loop with a time of its own, for what must not depend on how busy the machine is."""

from __future__ import annotations

import asyncio


class OwnTime(asyncio.SelectorEventLoop):
    """An event loop whose clock goes on to the next timer when there is nothing else to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Seconds since it was made, in which nobody else has a part."""
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]
