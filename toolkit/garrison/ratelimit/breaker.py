"""A circuit breaker: whether it is worth asking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES: Final = 3


class Breaker:
    """Opens after a few failures in a row, until it is told that asking is worth it again.

    What fails together counts once: a hundred decisions that share a round trip, or wait behind it, say no
    more about the store than one of them. So a failure counts only if it began after the one before was
    known.

    Args:
        clock: seconds that never go back.

    Attributes:
        opened: when it opened, or None while it is closed.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._failed_at = float("-inf")
        self.opened: float | None = None

    def fail(self, began: float) -> bool:
        """Note that what began then has failed.

        Returns:
            Whether this opened the breaker.
        """
        if began <= self._failed_at or self.opened is not None:
            return False
        now = self._clock()
        self._failed_at = now
        self._failures += 1
        if self._failures < FAILURES:
            return False
        self.opened = now
        return True

    def succeed(self) -> None:
        """Note an answer in time."""
        self._failures = 0

    def close(self) -> float:
        """Begin anew after a probe was answered.

        Returns:
            For how many seconds it was open.
        """
        seconds = 0.0 if self.opened is None else self._clock() - self.opened
        self.opened = None
        self._failures = 0
        self._failed_at = float("-inf")
        return seconds
