"""The latency histogram against a sorted list."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.histogram import LONGEST, Histogram, bucket_of, highest_in

MICROSECONDS = st.one_of(st.integers(0, 5000), st.integers(0, LONGEST))
PERCENTS = st.sampled_from([0.1, 1, 25, 50, 90, 95, 99, 99.9, 99.99, 100])


def filled(values: list[int]) -> Histogram:
    """A histogram of whole microseconds."""
    histogram = Histogram()
    for value in values:
        histogram.record(value / 1_000_000)
    return histogram


@given(st.lists(MICROSECONDS, min_size=1), PERCENTS)
def test_quantile_is_the_nearest_rank_to_three_digits(values: list[int], percent: float) -> None:
    """A quantile never flatters, and overstates the value of a sorted list by less than 0.1 %."""
    rank = math.ceil(Fraction(str(percent)) * len(values) / 100)
    truth = sorted(values)[rank - 1]
    found = round(filled(values).quantile(percent) * 1_000_000)
    assert truth <= found <= truth * 1.001


@given(st.lists(MICROSECONDS, min_size=1))
def test_extremes_and_mean_are_exact(values: list[int]) -> None:
    """Minimum, maximum and mean are those of the values themselves."""
    histogram = filled(values)
    assert (min(values), max(values), sum(values)) == (histogram.min, histogram.max, histogram.sum)
    assert histogram.mean() == pytest.approx(sum(values) / len(values) / 1e6)


@given(st.lists(MICROSECONDS), st.lists(MICROSECONDS))
def test_merge_loses_nothing(left: list[int], right: list[int]) -> None:
    """Two merged histograms equal one that recorded everything."""
    merged = filled(left)
    merged.merge(filled(right))
    assert filled(left + right) == merged


@given(st.lists(MICROSECONDS))
def test_record_survives_json(values: list[int]) -> None:
    """A histogram that went through JSON is the same."""
    histogram = filled(values)
    assert Histogram.from_record(json.loads(json.dumps(histogram.to_record()))) == histogram


@given(st.integers(0, LONGEST))
def test_buckets_are_in_order_and_narrow(value: int) -> None:
    """Every value lies in a bucket no wider than 1/1024 of it, below the next bucket."""
    bucket = bucket_of(value)
    assert value <= highest_in(bucket) <= value + value // 1024
    assert bucket_of(highest_in(bucket)) == bucket
    assert bucket_of(highest_in(bucket) + 1) == bucket + 1


def test_memory_is_bounded() -> None:
    """However long a request takes, there are at most some 23,000 buckets, and the maximum stays exact."""
    histogram = Histogram()
    histogram.record(100 * 3600)
    assert max(histogram.counts) == bucket_of(LONGEST) < 24_000
    assert histogram.max == 100 * LONGEST


def test_microseconds_are_told_apart() -> None:
    """Latencies below a millisecond keep their microseconds."""
    histogram = filled([417])
    assert histogram.quantile(50) == 0.000417


def test_exact_rank_of_a_fraction_of_a_percent() -> None:
    """The 99.9th of a thousand values is the 999th, not the 1000th."""
    assert filled([*[1] * 999, 2000]).quantile(99.9) == 0.000001


def test_clock_that_runs_backwards_counts_as_zero() -> None:
    """A negative latency is counted as zero."""
    histogram = Histogram()
    histogram.record(-1.0)
    assert (histogram.total, histogram.max) == (1, 0)


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_percentile_out_of_range_is_refused(percent: float) -> None:
    """There is no 0th and no 101st percentile."""
    with pytest.raises(ValueError, match="above 0 and up to 100"):
        filled([1]).quantile(percent)


def test_empty_histogram_has_no_quantile_and_no_mean() -> None:
    """Nothing recorded is not a latency of zero."""
    with pytest.raises(ValueError, match="empty"):
        Histogram().quantile(50)
    with pytest.raises(ValueError, match="empty"):
        Histogram().mean()
