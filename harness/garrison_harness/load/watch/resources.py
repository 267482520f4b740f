"""What the target used while load ran: its memory, and how late its event loop was."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final, TypedDict

from garrison_harness.load.histogram import MICROSECONDS, Histogram, HistogramRecord
from garrison_harness.load.watch.lookout import INTERVAL
from garrison_harness.load.watch.track import Track, TrackRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

_PERCENTILES: Final = {"lag_p50": 50, "lag_p95": 95, "lag_p99": 99}
_FEWEST: Final = 3  # readings of the memory, for it to have grown or not
_PART: Final = 5  # the first and the last fifth are compared


class ResourcesRecord(TypedDict):
    """Resources as they go through JSON; memory in bytes, lag in seconds, times in seconds of the run."""

    memory: TrackRecord | None
    lag: TrackRecord | None
    lag_latency: HistogramRecord
    lag_request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the target used while load ran.

    Attributes:
        memory: Resident bytes of all its processes, each second; None where they are not known.
        lag: Seconds until a trivial reply, the longest of each interval; None where none came.
        lag_latency: All of these replies.
        lag_request: What was asked for, method and path.
    """

    memory: Track | None
    lag: Track | None
    lag_latency: Histogram
    lag_request: str

    @property
    def memory_growth(self) -> float | None:
        """How much the memory grew, as a share; negative where it shrank, None with too few readings.

        The median of the last fifth of the readings is compared with that of the first fifth, so that a
        single reading says nothing. Apps also grow while they warm up: a short run tells little.
        """
        points = self.memory.points if self.memory else []
        if len(points) < _FEWEST:
            return None
        count = max(1, len(points) // _PART)
        first = median(value for _, value in points[:count])
        last = median(value for _, value in points[-count:])
        return last / first - 1 if first else None

    def measures(self) -> dict[str, float]:
        """What thresholds can be set for, by name: times in seconds, memory in bytes, growth as a share."""
        found: dict[str, float] = {}
        if self.lag_latency.total:
            found = {name: self.lag_latency.quantile(percent) for name, percent in _PERCENTILES.items()}
            found["lag_max"] = self.lag_latency.max / MICROSECONDS
        if self.memory and self.memory.points:
            found["memory"] = max(value for _, value in self.memory.points)
        if (growth := self.memory_growth) is not None:
            found["memory_growth"] = growth
        return found

    def to_record(self) -> ResourcesRecord:
        """The resources in JSON's types."""
        return {
            "memory": self.memory.to_record() if self.memory else None,
            "lag": self.lag.to_record() if self.lag else None,
            "lag_latency": self.lag_latency.to_record(),
            "lag_request": self.lag_request,
        }

    @classmethod
    def from_record(cls, record: ResourcesRecord) -> Resources:
        """The resources that `to_record` described."""
        return cls(
            memory=Track.from_record(record["memory"]) if record["memory"] is not None else None,
            lag=Track.from_record(record["lag"]) if record["lag"] is not None else None,
            lag_latency=Histogram.from_record(record["lag_latency"]),
            lag_request=record["lag_request"],
        )


def read_resources(
    *,
    lag: Iterable[tuple[float, float, int]],
    memory: Iterable[tuple[float, float]],
    began: float,
    ended: float,
    lag_request: str,
) -> Resources:
    """Resources of the time in which load ran.

    Args:
        lag: When a trivial reply was due, how many seconds later it had come, and its status, 0 for none.
        memory: When it was read, and resident bytes.
        began: When the first user started; all times by `time.monotonic`.
        ended: When the last request had ended.
        lag_request: What was asked for.
    """
    latency, late, bytes_used = Histogram(), Track(), Track()
    for due, seconds, status in lag:
        # A connection that is refused is not late; who waits in vain for a reply waits for all that time.
        if began <= due <= ended and (status or seconds >= INTERVAL):
            latency.record(seconds)
            late.add(due - began, seconds)
    for at, value in memory:
        if began <= at <= ended + 1:
            bytes_used.add(at - began, value)
    return Resources(
        memory=bytes_used if bytes_used.points else None,
        lag=late if late.points else None,
        lag_latency=latency,
        lag_request=lag_request,
    )
