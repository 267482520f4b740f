"""What one layer has refused, and when an overload begins and ends."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.events import EventLog
    from garrison.shedding.pulse import Loop

# For lack of capacity; a third reason is that the process ends.
Reason = Literal["lag", "limit"]

# An overload is over when nothing was refused for so many seconds.
OVER: Final = 2.0


class Outcomes:
    """Counts refusals, and logs the first and the last of an overload.

    Args:
        log: where the event `overload` goes.
        clock: seconds that never go back.

    Attributes:
        refused: how many requests, by reason.
        shedding: whether there is an overload.
    """

    def __init__(self, log: EventLog, clock: Callable[[], float]) -> None:
        self.refused: dict[Literal["lag", "limit", "drain"], int] = {"lag": 0, "limit": 0, "drain": 0}
        self.shedding = False
        self._log = log
        self._clock = clock
        self._began = 0.0
        self._refused_before = 0
        self._last = 0.0

    def count(self, reason: Reason, loop: Loop, limit: float | None) -> None:
        """One more was refused for lack of capacity.

        Args:
            reason: why.
            loop: the one that runs.
            limit: of requests in flight, as it is now; None where there is none.
        """
        self.refused[reason] += 1
        self._last = self._clock()
        if self.shedding:
            return
        self.shedding = True
        self._began = self._last
        self._refused_before = self._sum() - 1
        fields: dict[str, Any] = {"state": "shedding", "reason": reason}
        if reason == "limit" and limit is not None:
            fields["limit"] = int(limit)
        self._log.emit("warning", "overload", fields)
        # Not in the context of whoever was refused, which would be kept for as long as that.
        Context().run(loop.call_later, OVER, lambda: self._look(loop))

    def _look(self, loop: Loop) -> None:
        quiet = self._clock() - self._last
        if quiet < OVER:
            loop.call_later(OVER - quiet, lambda: self._look(loop))
            return
        self.shedding = False
        fields = {
            "state": "over",
            "refused": self._sum() - self._refused_before,
            "seconds": round(self._last - self._began, 3),
        }
        self._log.emit("info", "overload", fields)

    def _sum(self) -> int:
        return self.refused["lag"] + self.refused["limit"]
