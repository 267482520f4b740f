"""The interval of a difference holds the true one as often as it says."""

from __future__ import annotations

import math
import os
import random
import statistics

import pytest

from garrison_harness.load.compare.difference import paired, unpaired
from garrison_harness.load.compare.interval import Figures, paired_margins, welch_margins
from garrison_harness.load.compare.measures import CPU, ERRORS, MEAN, RATE, named, percentile
from tests.harness.load.compare.recorded import part, rounds

RUNS = 200 if os.environ.get("PROOF") == "1" else 60


def test_paired_interval_is_that_of_the_textbook() -> None:
    """Student's sleep data of 1908: extra hours with two drugs, ten patients, 0.70 to 2.46 hours apart."""
    first = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    second = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    one, other = (Figures(statistics.fmean(hours), hours) for hours in (first, second))
    margin, _ = paired_margins(one, other)
    assert other.whole - one.whole == pytest.approx(1.58)
    assert (1.58 - margin, 1.58 + margin) == pytest.approx((0.7001142, 2.4598858), abs=1e-7)


def test_unpaired_interval_is_that_of_the_textbook() -> None:
    """The same data by Welch's test, as every statistics program prints it: -0.21 to 3.37 hours."""
    first = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
    second = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
    one, other = (Figures(statistics.fmean(hours), hours) for hours in (first, second))
    margin, _ = welch_margins(one, other)
    assert (1.58 - margin, 1.58 + margin) == pytest.approx((-0.2054832, 3.3654832), abs=1e-7)


@pytest.mark.parametrize("name", ["p50", "p95"])
def test_paired_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    """Of 200 comparisons some 190 hold the true 1 ms, on a machine that is twice as slow in some rounds."""
    lot = random.Random(name)  # noqa: S311 - no secret
    held = 0
    for _ in range(RUNS):
        machine = [lot.choice((1.0, 1.2, 2.0)) for _ in range(8)]
        first = rounds(lot, count=8, requests=60, machine=machine)
        second = rounds(lot, count=8, requests=60, machine=machine, slower=0.001)
        change = paired(named(name), baseline=first, target=second).change
        assert change is not None
        held += change.low <= 0.001 <= change.high
    assert 0.90 * RUNS <= held <= 0.99 * RUNS


@pytest.mark.parametrize("name", ["p50", "p95"])
def test_unpaired_interval_holds_the_truth_as_often_as_it_says(name: str) -> None:
    """The same for runs of another time, with more parts of one than of the other."""
    lot = random.Random(name)  # noqa: S311 - no secret
    held = 0
    for _ in range(RUNS):
        first = rounds(lot, count=10, requests=60)
        second = rounds(lot, count=6, requests=60, slower=0.001)
        change = unpaired(named(name), baseline=first, target=second).change
        assert change is not None
        held += change.low <= 0.001 <= change.high
    assert 0.90 * RUNS <= held <= 0.99 * RUNS


def test_pairing_takes_out_what_both_met() -> None:
    """Where the machine changes from round to round, rounds in turn see what runs in a row cannot."""
    lot = random.Random(5)  # noqa: S311 - no secret
    machine = [1.0, 3.0, 1.5, 2.5, 1.0, 4.0, 2.0, 1.2]
    first = rounds(lot, count=8, requests=2000, machine=machine)
    second = rounds(lot, count=8, requests=2000, machine=machine, slower=0.002)
    assert paired(percentile(50), baseline=first, target=second).verdict == "higher"
    assert unpaired(percentile(50), baseline=first, target=second).verdict == "no difference seen"


def test_percentiles_are_those_of_all_rounds_together() -> None:
    """A percentile of a variant is the one of its merged histograms, not a mean of percentiles."""
    fast, slow = part([0.001] * 98 + [0.5] * 2), part([0.001] * 100)
    found = paired(percentile(99), baseline=[slow] * 10, target=[fast, *[slow] * 9])
    assert found.target == pytest.approx(0.001, rel=0.001)
    assert found.change is not None
    assert found.change.value == pytest.approx(0, abs=1e-6)
    assert found.change.high > 0.05, "that one round was far off makes it less sure"


def test_relative_change_is_that_of_the_rounds() -> None:
    """The share of a change is sure where each round changes by the same share, however fast the machine."""
    first = [part([0.010 * speed] * 100) for speed in (1, 2, 3, 4, 5)]
    second = [part([0.011 * speed] * 100) for speed in (1, 2, 3, 4, 5)]
    found = paired(MEAN, baseline=first, target=second)
    assert found.share is not None
    assert found.share.value == pytest.approx(0.1)
    assert found.share.high - found.share.low < 1e-6
    assert found.change is not None
    assert found.change.high - found.change.low > 0.001


def test_relative_interval_is_that_of_the_change_where_the_baseline_is_steady() -> None:
    """Give or take 1 ms is give or take a tenth of 10 ms."""
    first = [part([0.010] * 10)] * 5
    second = [part([0.010 + 0.001 * step] * 10) for step in (-2, -1, 0, 1, 2)]
    found = paired(MEAN, baseline=first, target=second)
    assert found.change is not None
    assert found.share is not None
    assert found.change.high == pytest.approx(2.776 * math.sqrt(2.5e-6 / 5), rel=1e-3)
    assert found.share.high == pytest.approx(found.change.high / 0.010)


def test_relative_interval_of_two_runs_follows_their_spread() -> None:
    """Twice the spread of either run makes the share of a change half as sure."""

    def width(spread: float) -> float:
        first = [part([0.010 + spread * step] * 10) for step in (-2, -1, 0, 1, 2)]
        found = unpaired(MEAN, baseline=first, target=first).share
        assert found is not None
        return found.high - found.low

    # Of a ratio of equals whose parts have a variance of 2.5 spreads squared: t(8) of 2.306 on each side.
    expected = 2 * 2.306 * math.sqrt(2 * 2.5e-8 / 5) / 0.010
    assert width(0.0001) == pytest.approx(expected, rel=1e-3)
    assert width(0.0002) == pytest.approx(2 * expected, rel=1e-3)

    # Twice as long, twice as unsure: the ratio is 2, and the baseline's spread counts twice.
    first = [part([0.010 + 0.0001 * step] * 10) for step in (-2, -1, 0, 1, 2)]
    steady = [part([0.020] * 10)] * 5
    share = unpaired(MEAN, baseline=first, target=steady).share
    assert share is not None
    assert share.high - share.value == pytest.approx(2.776 * 2 * math.sqrt(2.5e-8 / 5) / 0.010, rel=1e-3)


def test_every_figure_is_compared() -> None:
    """Rate, share of errors and CPU for each request, in their own units."""
    first = [part([0.01] * 100, errors=1, cpu=0.1) for _ in range(5)]
    second = [part([0.01] * 50, errors=1, cpu=0.1) for _ in range(5)]
    for measure, before, after, verdict in (
        (RATE, 100, 50, "lower"), (ERRORS, 0.01, 0.02, "higher"), (CPU, 0.001, 0.002, "higher"),
    ):  # fmt: skip
        found = paired(measure, baseline=first, target=second)
        assert (found.baseline, found.target) == pytest.approx((before, after))
        assert found.verdict == verdict
