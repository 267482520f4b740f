"""One value over time, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_POINTS = 600
"""Points that are kept; beyond them, two neighbours become one, with the larger value."""

TrackRecord = list[list[float]]
"""A track as it goes through JSON: pairs of seconds and value."""


@dataclass(slots=True)
class Track:
    """The largest value of each interval.

    Attributes:
        points: Seconds since the first user, the end of the interval, and the value.
        step: How many values make a point by now.
    """

    points: list[tuple[float, float]] = field(default_factory=list)
    step: int = 1
    _pending: int = 0

    def add(self, at: float, value: float) -> None:
        """Take in the next value.

        Args:
            at: When it was read, in seconds since the first user.
            value: In the unit of the track.
        """
        if self._pending and self.points:
            self.points[-1] = (at, max(self.points[-1][1], value))
        else:
            self.points.append((at, value))
        self._pending = (self._pending + 1) % self.step
        if len(self.points) > MOST_POINTS:
            self._widen()

    def _widen(self) -> None:
        pairs = zip(self.points[::2], self.points[1::2], strict=False)
        last = self.points[-1:] if len(self.points) % 2 else []
        self.points = [(later[0], max(earlier[1], later[1])) for earlier, later in pairs] + last
        self._pending = self.step if last else 0
        self.step *= 2

    def to_record(self) -> TrackRecord:
        """The track in JSON's types."""
        return [[at, value] for at, value in self.points]

    @classmethod
    def from_record(cls, record: TrackRecord) -> Track:
        """The track that `to_record` described, for reading."""
        return cls(points=[(at, value) for at, value in record])
