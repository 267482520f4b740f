"""What a comparison concludes, and how it is told."""

from __future__ import annotations

import json

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.measures import MEAN
from garrison_harness.load.compare.slices import Slice
from garrison_harness.load.compare.table import lines
from garrison_harness.load.judging import Evidence, judge
from garrison_harness.load.thresholds import parse_threshold
from tests.harness.load.compare.recorded import part

# Rounds of 100 requests, a tenth slower in each, with 0.1 ms of spread from round to round.
BEFORE = tuple(part([0.010 + 0.0001 * step] * 100, cpu=0.05) for step in (-2, -1, 0, 1, 2))
AFTER = tuple(part([0.011 + 0.0001 * step] * 100, cpu=0.06 + 0.001 * step) for step in (1, -2, 2, -1, 0))


def compared(*limits: str, rounds: int = 5, interleaved: bool = True) -> Comparison:
    """A comparison in which the target is 1 ms slower, give or take 0.29 ms."""
    return Comparison(
        baseline="bare" if interleaved else "reports/main.json",
        interleaved=interleaved,
        baseline_rounds=BEFORE[:rounds],
        target_rounds=AFTER[:rounds],
        limits=limits,
    )


@pytest.mark.parametrize(
    ("expression", "passed", "undecided"),
    [
        ("diff(avg)<2ms", True, False),
        ("diff(avg)<0.5ms", False, False),
        ("diff(avg)<1.1ms", False, True),
        ("diff(avg)>0.5ms", True, False),
        ("diff(avg)<20%", True, False),
        ("diff(avg)<5%", False, False),
        ("diff(avg)<10.1%", False, True),
        ("diff(cpu)<150us", True, False),
        ("diff(cpu)<10%", False, False),
        ("diff(rate)>-1%", True, False),
        ("diff(errors)<0.1%", True, False),
        ("diff(p95)<-1ms", False, False),
    ],
)
def test_threshold_of_a_difference_is_held_against_the_whole_interval(
    expression: str, passed: bool, undecided: bool
) -> None:
    """Kept where all of the interval keeps it, missed where none of it does, and undecided in between."""
    evidence = Evidence(account=Account(), differences=compared())
    found = judge(parse_threshold(expression), evidence)
    assert (found.passed, found.undecided) == (passed, undecided)
    assert found.actual is not None


def test_comparison_that_concludes_nothing_decides_nothing() -> None:
    """Where the generator was the limit, a threshold that looks kept is undecided."""
    evidence = Evidence(account=Account(), differences=compared("the load process was busy"))
    found = judge(parse_threshold("diff(avg)<2ms"), evidence)
    assert (found.passed, found.undecided) == (False, True)
    assert found.actual == pytest.approx(0.001)


def test_figure_that_is_not_judged_decides_nothing() -> None:
    """A threshold on it is undecided, and says why."""
    evidence = Evidence(account=Account(), differences=compared())
    found = judge(parse_threshold("diff(p99.9)<1s"), evidence)
    assert (found.passed, found.undecided, found.actual) == (False, True, None)
    assert found.describe() == "not judged: 100 requests in a round, and p99.9 needs 1000"


def test_runs_of_another_time_are_not_paired() -> None:
    """Welch's test takes the parts of both as they are, however many; Student's takes them two by two."""
    apart, in_turn = (compared(interleaved=one).difference(MEAN).change for one in (False, True))
    assert apart is not None
    assert in_turn is not None
    assert apart.value == in_turn.value
    assert apart.high != pytest.approx(in_turn.high, rel=0.01)


def test_too_few_rounds_are_a_reason() -> None:
    """A run that was cut short after three rounds has three, and that is said."""
    few = compared(rounds=3)
    assert few.reasons == ("a comparison takes at least 5 rounds, and there were 3",)
    assert all(difference.verdict == "not judged" for difference in few.differences)
    assert compared().reasons == ()


def test_record_holds_all_that_was_compared() -> None:
    """The JSON has every figure of both with its interval, and the rounds it was made of."""
    record = json.loads(json.dumps(compared("busy").to_record()))
    assert (record["baseline"], record["interleaved"], record["rounds"]) == ("bare", True, 5)
    assert (record["confidence"], record["reasons"]) == (0.95, ["busy"])
    assert [one["measure"] for one in record["differences"]] == ["rate", "p50", "p95", "p99", "errors", "cpu"]
    p50 = record["differences"][1]
    assert (p50["unit"], p50["verdict"]) == ("seconds", "higher")
    assert p50["target"] - p50["baseline"] == pytest.approx(p50["change"]["value"])
    assert p50["change"]["low"] < p50["change"]["value"] < p50["change"]["high"]
    assert p50["share"]["value"] == pytest.approx(0.1, rel=0.01)
    assert [Slice.from_record(one) for one in record["baseline_rounds"]] == list(BEFORE)


def test_table_states_each_figure_with_its_uncertainty() -> None:
    """Both values, the change in the unit of the figure and in percent, in 80 columns."""
    told = list(lines(compared()))
    assert told == [
        "Compared with bare, loaded in turn in 5 rounds; each interval holds the true",
        "  difference in 95 of 100 comparisons",
        "            bare        now         difference, and how sure",
        "  rate      100/s       100/s       no difference seen (+0 ± 0/s)",
        "  p50       10.0 ms     11.0 ms     +1.00 ± 0.29 ms (+10.0% ± 3.1%)",
        "  p95       10.2 ms     11.2 ms     +1.00 ± 0.29 ms (+9.8% ± 3.0%)",
        "  p99       10.2 ms     11.2 ms     +1.00 ± 0.29 ms (+9.8% ± 3.0%)",
        "  errors    0%          0%          no difference seen (+0 ± 0 points)",
        "  cpu       500 µs      600 µs      +100 ± 20 µs (+20.0% ± 3.9%)",
        "            cpu is the target's CPU time for each request",
    ]


def test_table_says_what_cannot_be_concluded() -> None:
    """Reasons stand below, an unjudged figure has its own, and a report is told from rounds in turn."""
    short = (part([0.01] * 30),)
    made = Comparison(
        baseline="a/very/long/path/to/the/report-of-last-week.json",
        interleaved=False,
        baseline_rounds=short * 6,
        target_rounds=short * 6,
        limits=("the machine changed",),
    )
    told = "\n".join(lines(made))
    assert max(map(len, told.splitlines())) <= 80
    assert "not loaded in turn with this one" in " ".join(told.split())
    assert "before      now" in told
    assert "not judged: 30 requests in a round, and p99 needs 100" in " ".join(told.split())
    assert "not judged: not known of every round" in told
    assert told.endswith("  inconclusive: the machine changed")


@pytest.mark.parametrize(
    ("seconds", "spread", "said"),
    [(2.0, 0.1, "+1.00 ± 0.15 s"), (0.0002, 0.00001, "+100 ± 15 µs"), (0.01, 0.01, "no difference seen")],
)
def test_table_has_the_unit_and_digits_that_the_figures_bear(
    seconds: float, spread: float, said: str
) -> None:
    """No digit that the interval leaves uncertain, and the unit in which both figures read well."""
    first = tuple(part([seconds / 2 + spread * step] * 100) for step in (0, 1, 2, 1, 0))
    second = tuple(part([seconds + spread * step] * 100) for step in (1, 1, 0, 2, 0))
    made = Comparison(baseline="bare", interleaved=True, baseline_rounds=first, target_rounds=second)
    row = next(line for line in lines(made) if line.startswith("  p50"))
    assert said in row
