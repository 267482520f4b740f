"""A latency histogram of three significant digits, in bounded memory, that merges without loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypedDict

MICROSECONDS = 1_000_000
LONGEST = 3600 * MICROSECONDS
"""What takes longer than an hour is counted as an hour; `max` stays exact."""

# The layout is that of HdrHistogram: values up to 2^11 µs have a bucket each, and every further power of two
# is cut into 2^10 buckets, so that no bucket is wider than 1/1024 of what it holds. Three decimal digits need
# 1/1000.
_EXACT_BITS = 11
_BUCKETS_PER_OCTAVE = 1 << (_EXACT_BITS - 1)


class HistogramRecord(TypedDict):
    """A histogram as it goes through JSON; every time is in whole microseconds."""

    counts: dict[str, int]
    sum: int
    min: int
    max: int


def bucket_of(microseconds: int) -> int:
    """The bucket that holds a value, 0 to about 23,000."""
    shift = microseconds.bit_length() - _EXACT_BITS
    return shift * _BUCKETS_PER_OCTAVE + (microseconds >> shift) if shift > 0 else microseconds


def highest_in(bucket: int) -> int:
    """The largest value that a bucket holds, in microseconds."""
    shift = max(0, bucket // _BUCKETS_PER_OCTAVE - 1)
    return ((bucket - shift * _BUCKETS_PER_OCTAVE + 1) << shift) - 1


@dataclass(slots=True)
class Histogram:
    """Counts latencies by size.

    Minimum, maximum and mean are exact to the microsecond. A quantile is the nearest-rank value, rounded up
    to the end of its bucket: it never flatters, and overstates by less than 0.1 %.
    """

    counts: dict[int, int] = field(default_factory=dict)
    total: int = 0
    sum: int = 0
    min: int = 0
    max: int = 0

    def record(self, seconds: float) -> None:
        """Count one latency, in seconds; a clock that ran backwards counts as zero."""
        # Once per request: plain comparisons cost half of what min() and max() do.
        value = int(seconds * MICROSECONDS + 0.5) if seconds > 0 else 0
        bucket = bucket_of(value if value < LONGEST else LONGEST)  # noqa: FURB136 - see above
        counts = self.counts
        counts[bucket] = counts.get(bucket, 0) + 1
        if value > self.max:  # noqa: PLR1730 - see above
            self.max = value
        if value < self.min or not self.total:
            self.min = value
        self.sum += value
        self.total += 1

    def merge(self, other: Histogram) -> None:
        """Add what another histogram counted; the result is the same as if all had been recorded here."""
        if not other.total:
            return
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.min = min(self.min, other.min) if self.total else other.min
        self.max = max(self.max, other.max)
        self.sum += other.sum
        self.total += other.total

    def quantile(self, percent: float) -> float:
        """The latency that `percent` of all values do not exceed, in seconds.

        Args:
            percent: Above 0 and up to 100.

        Raises:
            ValueError: Nothing was recorded, or `percent` is out of range.
        """
        if not 0 < percent <= 100:
            raise ValueError(f"a percentile is above 0 and up to 100, not {percent}")
        if not self.total:
            raise ValueError("an empty histogram has no quantiles")
        # In exact numbers: as floats, 99.9 % of 1000 is a little more than 999, and the rank one too high.
        rank = math.ceil(Fraction(str(percent)) * self.total / 100)
        for bucket in sorted(self.counts):
            rank -= self.counts[bucket]
            if rank <= 0:
                return min(highest_in(bucket), self.max) / MICROSECONDS
        raise AssertionError("the counts add up to the total")

    def mean(self) -> float:
        """The mean latency in seconds.

        Raises:
            ValueError: Nothing was recorded.
        """
        if not self.total:
            raise ValueError("an empty histogram has no mean")
        return self.sum / self.total / MICROSECONDS

    def to_record(self) -> HistogramRecord:
        """The histogram in JSON's types."""
        counts = {str(bucket): count for bucket, count in self.counts.items()}
        return {"counts": counts, "sum": self.sum, "min": self.min, "max": self.max}

    @classmethod
    def from_record(cls, record: HistogramRecord) -> Histogram:
        """The histogram that `to_record` described."""
        counts = {int(bucket): count for bucket, count in record["counts"].items()}
        return cls(
            counts=counts,
            total=sum(counts.values()),
            sum=record["sum"],
            min=record["min"],
            max=record["max"],
        )
