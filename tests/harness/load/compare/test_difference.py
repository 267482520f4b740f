"""What is said of a difference, and when nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.compare.difference import FEWEST_ROUNDS, paired, unpaired
from garrison_harness.load.compare.measures import CPU, ERRORS, MEAN, RATE, named, percentile
from garrison_harness.load.compare.slices import Slice, merged
from tests.harness.load.compare.recorded import part

ROUND = st.lists(st.floats(0.0001, 10), min_size=2, max_size=4).map(part)
PAIRS = st.lists(st.tuples(ROUND, ROUND), min_size=FEWEST_ROUNDS, max_size=8)


@given(PAIRS)
def test_verdict_says_what_the_interval_holds(pairs: list[tuple[Slice, Slice]]) -> None:
    """The change lies in its interval, and a difference was seen where zero does not."""
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    for compare in (paired, unpaired):
        for measure in (RATE, MEAN, percentile(50), ERRORS):
            found = compare(measure, baseline=first, target=second)
            assert found.change is not None
            assert found.change.low <= found.change.value <= found.change.high
            holds_zero = found.change.low <= 0 <= found.change.high
            assert (found.verdict == "no difference seen") == holds_zero


@given(PAIRS)
def test_the_other_way_round_is_the_opposite(pairs: list[tuple[Slice, Slice]]) -> None:
    """Who is held against whom changes the sign, and nothing else."""
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    opposite = {"higher": "lower", "lower": "higher", "no difference seen": "no difference seen"}
    for compare in (paired, unpaired):
        there = compare(MEAN, baseline=first, target=second)
        back = compare(MEAN, baseline=second, target=first)
        assert there.change is not None
        assert back.change is not None
        assert there.change.value == -back.change.value
        assert there.change.high == pytest.approx(-back.change.low)
        assert opposite[there.verdict] == back.verdict


@given(st.lists(ROUND, min_size=FEWEST_ROUNDS, max_size=8))
def test_a_run_does_not_differ_from_itself(parts: list[Slice]) -> None:
    """Held against itself, no difference is seen in anything."""
    for compare in (paired, unpaired):
        for measure in (RATE, MEAN, percentile(50), ERRORS):
            found = compare(measure, baseline=parts, target=parts)
            assert found.verdict == "no difference seen"
            assert found.change is not None
            assert found.change.value == 0


def test_few_rounds_say_nothing() -> None:
    """Four rounds are not enough, however alike they are; five are."""
    one, other = part([0.01] * 100), part([0.02] * 100)
    few = paired(MEAN, baseline=[one] * 4, target=[other] * 4)
    assert (few.verdict, few.change) == ("not judged", None)
    assert few.reason == "fewer than 5 rounds say nothing"
    assert (few.baseline, few.target) == (0.01, 0.02), "what was measured is stated all the same"
    assert paired(MEAN, baseline=[one] * 5, target=[other] * 5).verdict == "higher"
    assert unpaired(MEAN, baseline=[one] * 5, target=[other] * 4).verdict == "not judged"


@pytest.mark.parametrize(
    ("percent", "fewest"), [(50, 2), (90, 10), (95, 20), (99, 100), (99.9, 1000), (100, 2)]
)
def test_a_percentile_needs_requests_above_it(percent: float, fewest: int) -> None:
    """The 99th percentile of fifty requests would be their slowest one."""
    enough, short = part([0.01] * fewest), part([0.01] * (fewest - 1))
    assert paired(percentile(percent), baseline=[enough] * 5, target=[enough] * 5).change is not None
    found = paired(percentile(percent), baseline=[enough] * 5, target=[*[enough] * 4, short])
    assert found.verdict == "not judged"
    assert found.reason == f"{fewest - 1} requests in a round, and p{percent:g} needs {fewest}"


def test_a_round_without_requests_says_nothing_of_latency() -> None:
    """A round in which nothing was answered leaves the latency unjudged, and counts for the rate."""
    full, empty = part([0.01] * 100), part()
    broken = [full, full, full, full, empty]
    assert paired(MEAN, baseline=[full] * 5, target=broken).verdict == "not judged"
    assert paired(CPU, baseline=[full] * 5, target=broken).verdict == "not judged"
    found = paired(RATE, baseline=[full] * 5, target=broken)
    assert found.change is not None
    assert found.change.value == pytest.approx(-20)


def test_cpu_that_is_not_known_of_every_round_is_not_judged() -> None:
    """One round without a reading, as where a worker was replaced, leaves it unsaid."""
    known, unknown = part([0.01] * 10, cpu=0.1), part([0.01] * 10)
    found = paired(CPU, baseline=[known] * 5, target=[*[known] * 4, unknown])
    assert (found.verdict, found.reason) == ("not judged", "not known of every round")
    assert found.target is None, "nor of all rounds together"


def test_a_share_of_nothing_is_not_stated() -> None:
    """Errors where there were none before have no percentage, but they are more."""
    without = [part([0.01] * 100) for _ in range(5)]
    with_errors = [part([0.01] * 100, errors=10) for _ in range(5)]
    for compare in (paired, unpaired):
        found = compare(ERRORS, baseline=without, target=with_errors)
        assert (found.verdict, found.share) == ("higher", None)


def test_rounds_that_cannot_be_paired_are_refused() -> None:
    """A pair takes two."""
    with pytest.raises(ValueError, match="5 rounds cannot be paired with 6"):
        paired(MEAN, baseline=[part([1])] * 5, target=[part([1])] * 6)


@given(st.lists(ROUND, min_size=1, max_size=5))
def test_parts_make_the_whole(parts: list[Slice]) -> None:
    """Merged, nothing is lost, and JSON carries it exactly."""
    whole = merged(parts)
    assert whole.requests == sum(one.requests for one in parts) == whole.latency.total
    assert whole.duration == pytest.approx(len(parts))
    assert Slice.from_record(whole.to_record()) == whole


@pytest.mark.parametrize("name", ["p101", "p0", "fastest", "", "p"])
def test_names_of_nothing_are_refused(name: str) -> None:
    """What cannot be compared is said with what can."""
    with pytest.raises(ValueError, match="expected p50 to p100, rate"):
        named(name)
