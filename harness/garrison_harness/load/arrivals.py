"""What became of the arrivals of the open model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

LATE = 0.010
"""An arrival that starts this many seconds after its time, or later, is a late one."""


class ArrivalsRecord(TypedDict):
    """Arrivals as they go through JSON."""

    due: int
    late: int
    dropped: int
    starved: int


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """What became of the arrivals of the open model; all zero in the closed one.

    Attributes:
        due: Arrivals whose time came.
        late: Those that started more than 10 ms after their time.
        dropped: Those that never started.
        starved: Those of the late and the dropped that waited because all the users that there may be were
            waiting for replies: that is the target's doing.
    """

    due: int = 0
    late: int = 0
    dropped: int = 0
    starved: int = 0

    def merge(self, other: Arrivals) -> None:
        """Add what another counted."""
        self.due += other.due
        self.late += other.late
        self.dropped += other.dropped
        self.starved += other.starved

    def to_record(self) -> ArrivalsRecord:
        """The counts in JSON's types."""
        return {"due": self.due, "late": self.late, "dropped": self.dropped, "starved": self.starved}

    @classmethod
    def from_record(cls, record: ArrivalsRecord) -> Arrivals:
        """The counts that `to_record` described."""
        return cls(
            due=record["due"],
            late=record["late"],
            dropped=record["dropped"],
            starved=record["starved"],
        )
