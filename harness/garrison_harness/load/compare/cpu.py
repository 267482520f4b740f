"""What a target uses of the CPU, from one moment of a run to another."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison_harness.load.account import Account
    from garrison_harness.load.delta import Delta
    from garrison_harness.running import Running


def spent_between(before: float | None, after: float | None) -> float | None:
    """CPU time between two readings, in seconds; None where it is not known.

    Of a process that has ended nothing is known any more, so that a later reading may be the smaller one.
    """
    return None if before is None or after is None or after < before else after - before


class CpuTrack:
    """What a target has used of the CPU, read whenever the load process tells something."""

    def __init__(self, running: Running) -> None:
        """Begin now."""
        self._running = running
        self._moments = [0.0]
        self._spent = [running.cpu()]

    def see(self, account: Account, _delta: Delta) -> None:
        """Take a reading; a listener of the load."""
        self._moments.append(account.duration)
        self._spent.append(self._running.cpu())

    def used(self, begin: float, end: float) -> float | None:
        """CPU time that was used between two moments, in seconds; None where it is not known.

        Args:
            begin: Seconds since the first user.
            end: The same, later.
        """
        return spent_between(self._at(begin), self._at(end))

    def _at(self, moment: float) -> float | None:
        """The reading at a moment, in between two on the line between them."""
        place = min(bisect_left(self._moments, moment), len(self._moments) - 1)
        later, earlier = self._spent[place], self._spent[max(0, place - 1)]
        if later is None or earlier is None:
            return None
        begin, end = self._moments[max(0, place - 1)], self._moments[place]
        share = min(1.0, (moment - begin) / (end - begin)) if end > begin else 1.0
        return earlier + (later - earlier) * share
