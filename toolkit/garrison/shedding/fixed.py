"""A limit of requests in flight that stays as it is."""

from __future__ import annotations


class FixedLimit:
    """How many requests may be in flight, whatever becomes of them.

    Args:
        limit: how many.

    Attributes:
        limit: as given.
    """

    def __init__(self, limit: int) -> None:
        self.limit: float = limit

    def refuses(self, in_flight: float, now: float) -> bool:  # noqa: ARG002 - as of the limit that adapts
        """Whether there is no room for one more.

        Args:
            in_flight: how many there are already; more by the share that others have before this one.
            now: unused.
        """
        return in_flight >= self.limit

    def sample(self, route: str | None, began: float, now: float, in_flight: int) -> None:
        """Learn nothing of a reply."""
