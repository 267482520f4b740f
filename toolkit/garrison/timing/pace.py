"""How long a sender may be waited for: a minimum rate, after a grace."""

from __future__ import annotations

from typing import Final

# What came faster than it must lets its sender be silent for longer, up to so many times the grace; without
# an end of it, whoever has sent a hundred megabytes could hold the connection for days.
CREDIT: Final = 3.0


class Pace:
    """What is left of the patience with one sender.

    A steady sender above the rate never uses it up, however long it sends; one that is silent has the grace,
    and up to three times as much after it was fast.

    Args:
        rate: bytes a second.
        grace: seconds.

    Attributes:
        left: seconds that the sender may still be waited for, until its next bytes.
    """

    __slots__ = ("_most", "_rate", "left")

    def __init__(self, rate: int, grace: float) -> None:
        self.left = grace
        self._most = grace * CREDIT
        self._rate = rate

    def took(self, seconds: float, size: int) -> None:
        """Take note of what was waited for.

        Args:
            seconds: how long it took.
            size: bytes that came.
        """
        self.left = min(self._most, self.left - seconds + size / self._rate)
