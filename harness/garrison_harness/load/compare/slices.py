"""A part of a run: one round of one variant, or some seconds of a run that was not cut into rounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from garrison_harness.load.histogram import Histogram, HistogramRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison_harness.load.tally import Tally


class SliceRecord(TypedDict):
    """A part of a run in JSON.

    `duration` and `cpu`, the CPU time of the target, are in seconds; `cpu` is null where it is not known.
    `attempts` are requests, and tasks that failed outside of one. `latency` is a histogram: `counts` by the
    number of the bucket, the rest in microseconds.
    """

    duration: float
    requests: int
    attempts: int
    errors: int
    cpu: float | None
    latency: HistogramRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What a part of a run came to.

    Attributes:
        duration: How long it took, in seconds.
        requests: Requests that ended in it.
        attempts: These, and tasks that failed outside of a request.
        errors: Attempts that failed.
        cpu: CPU time that the target used meanwhile, in seconds; None where that is not known.
        latency: How long the requests took.
    """

    duration: float
    requests: int
    attempts: int
    errors: int
    cpu: float | None = None
    latency: Histogram = field(default_factory=Histogram)

    @classmethod
    def of(cls, tally: Tally, *, duration: float, cpu: float | None = None) -> Slice:
        """The part of a run that a tally was kept of.

        Args:
            tally: What its requests came to.
            duration: How long it took, in seconds.
            cpu: CPU time that the target used meanwhile, in seconds.
        """
        return cls(
            duration=duration,
            requests=tally.requests,
            attempts=tally.requests + tally.task_errors,
            errors=tally.errors,
            cpu=cpu,
            latency=tally.latency,
        )

    def to_record(self) -> SliceRecord:
        """The part in JSON's types."""
        return {
            "duration": self.duration,
            "requests": self.requests,
            "attempts": self.attempts,
            "errors": self.errors,
            "cpu": self.cpu,
            "latency": self.latency.to_record(),
        }

    @classmethod
    def from_record(cls, record: SliceRecord) -> Slice:
        """The part that `to_record` described.

        Raises:
            KeyError: A file that somebody else wrote lacks a member.
            TypeError: One is of another type.
            ValueError: One is no number.
        """
        cpu = record["cpu"]
        return cls(
            duration=float(record["duration"]),
            requests=int(record["requests"]),
            attempts=int(record["attempts"]),
            errors=int(record["errors"]),
            cpu=None if cpu is None else float(cpu),
            latency=Histogram.from_record(record["latency"]),
        )


def merged(slices: Iterable[Slice]) -> Slice:
    """All parts as one; the result is the same as if they had never been apart."""
    parts = list(slices)
    latency = Histogram()
    for part in parts:
        latency.merge(part.latency)
    known = [part.cpu for part in parts if part.cpu is not None]
    return Slice(
        duration=sum(part.duration for part in parts),
        requests=sum(part.requests for part in parts),
        attempts=sum(part.attempts for part in parts),
        errors=sum(part.errors for part in parts),
        cpu=sum(known) if len(known) == len(parts) else None,
        latency=latency,
    )
