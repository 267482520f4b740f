"""What a run came to, held against its thresholds."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.judging import Evidence, judge
from garrison_harness.load.names import MOST_NAMES
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import Judgement, parse_threshold
from tests.harness.load.recorded import account, tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.account import Account


def judged(expression: str, seen: Account, **evidence: object) -> Judgement:
    """A threshold, held against what was seen."""
    return judge(parse_threshold(expression), Evidence(account=seen, **evidence))  # type: ignore[arg-type]


@given(
    st.lists(st.integers(1, 10_000), min_size=1),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.integers(1, 10_000),
)
def test_judgement_is_the_comparison_of_the_exact_values(values: list[int], sign: str, bound: int) -> None:
    """The slowest request is held against the bound exactly, in whole microseconds."""
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
    seen = account({"GET /": tally(*(value / 1000 for value in values))})
    assert judged(f"max{sign}{bound}us", seen).passed == compare[sign](max(values), bound)


@pytest.mark.parametrize(
    ("expression", "actual", "shown"),
    [
        ("avg<1s", 0.002, "2 ms"),
        ("min<1s", 0.001, "1 ms"),
        ("med<1s", 0.001, "1 ms"),
        ("p76<1s", 0.004, "4 ms"),
        ("max<1s", 0.004, "4 ms"),
        ("errors<1%", 0.25, "25%"),
        ("limited<1%", 0.25, "25%"),
        ("rate>1", 2.0, "2.0/s"),
        ("requests>1", 4.0, "4"),
        ("requests{status:200}>1", 2.0, "2"),
        ("rate{status:2xx}>1", 1.0, "1.0/s"),
        ("requests{status:503}<1", 0.0, "0"),
        ("late<1", 3.0, "3"),
        ("late<1%", 0.03, "3%"),
        ("dropped==0", 2.0, "2"),
        ("dropped<1%", 0.02, "2%"),
    ],
)
def test_every_metric_is_measured(expression: str, actual: float, shown: str) -> None:
    """Each metric reads its own measure of the run, and shows it in its own unit."""
    run = tally(1, 1)
    run.reply(0.002, status=500, error="HTTP 500")
    run.reply(0.004, status=429)
    judgement = judged(expression, account({"GET /": run}, arrivals=Arrivals(due=100, late=3, dropped=2)))
    assert judgement.actual == pytest.approx(actual, rel=0.001)
    assert judgement.describe() == shown


NAMES = {
    "GET /items": tally(1, 2),
    "POST /items": tally(30, status=500, error="HTTP 500"),
    "GET /items/{id}": tally(4),
}


@pytest.mark.parametrize(
    ("expression", "actual"),
    [
        ("max{name:GET /items}<1s", 0.002),
        ("max{name:GET /items/{id}}<1s", 0.004),
        ("max{name:/items}<1s", 0.03),
        ("requests{name:/items}>1", 3),
        ("errors{name:POST /items}<1%", 1.0),
        ("rate{name:GET /items}>0.5", 1.0),
        ("max{tag:read}<1s", 0.002),
        ("errors{tag:read}<1%", 0.0),
    ],
)
def test_selector_judges_only_the_requests_it_names(expression: str, actual: float) -> None:
    """A name with its method is one kind of request, without it all methods; a tag is what is tagged."""
    seen = account(NAMES, tags={"read": tally(1, 2)})
    assert judged(expression, seen).actual == pytest.approx(actual, rel=0.001)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("p95{name:GET /item}<1s", "no request is named 'GET /item': did you mean GET /items?; there were"),
        ("p95{name:GET /item}<1s", "there were GET /items, POST /items, GET /items/{id}"),
        ("errors{name:nonsense}<1%", "no request is named 'nonsense'; there were GET /items,"),
        ("errors{tag:writ}<1%", "no request has the tag 'writ': did you mean write?; there were write"),
        ("requests{name:GET /nothing}>=0", "no request is named 'GET /nothing'"),
    ],
)
def test_selector_that_matched_nothing_fails_with_the_names_there_were(expression: str, words: str) -> None:
    """A misspelt name is a failure, and never a bound that nothing was measured against."""
    judgement = judged(expression, account(NAMES, tags={"write": tally(1)}))
    assert (judgement.actual, judgement.passed) == (None, False)
    assert words in judgement.describe()


def test_many_names_are_listed_in_one_line() -> None:
    """The most frequent names are shown, and how many more there are."""
    names = {f"GET /{number}": tally(*[1] * (number + 1)) for number in range(MOST_NAMES)}
    described = judged("p95{name:zzz}<1s", account(names)).describe()
    assert described.endswith("there were GET /199, GET /198, GET /197 and 197 more")


def test_tag_of_a_run_without_tags_is_explained() -> None:
    """Where no request has any tag, there is none to suggest."""
    described = judged("p95{tag:write}<1s", account()).describe()
    assert described == "no request has the tag 'write': there were none at all"


@pytest.mark.parametrize(
    "expression", ["p95<1s", "avg<1s", "max<1s", "errors==0%", "limited==0%", "requests{status:500}==0"]
)
def test_nothing_measured_keeps_no_threshold(expression: str) -> None:
    """Without a request, no bound on latency or errors holds."""
    judgement = judged(expression, account({}))
    assert (judgement.actual, judgement.passed, judgement.describe()) == (None, False, "nothing measured")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("late<1%", "no arrival was due"),
        ("lag_p99<1s", "the target was not watched"),
        ("diff(p95)<1ms", "nothing was compared"),
    ],
)
def test_measure_that_this_run_lacks_fails_and_says_why(expression: str, words: str) -> None:
    """A threshold on what nobody measured is never kept by silence."""
    judgement = judged(expression, account())
    assert not judgement.passed
    assert words in judgement.describe()


@pytest.mark.parametrize(
    ("expression", "passed", "shown"),
    [
        ("lag_p99<100ms", True, "20 ms"),
        ("memory_growth<5%", False, "10%"),
        ("memory<200MB", True, "123.5 MB"),
    ],
)
def test_target_is_judged_by_what_watched_it(expression: str, passed: bool, shown: str) -> None:
    """Loop lag and memory are measured beside the load, and judged as its requests are."""
    measures = {"lag_p99": 0.02, "memory_growth": 0.1, "memory": 123_456_789.0}
    judgement = judged(expression, account(), measures=measures)
    assert (judgement.passed, judgement.describe()) == (passed, shown)


class Apart:
    """Two variants that differ by 2 ms, or 10 %, in everything, give or take 1 ms or 5 %."""

    def judge(
        self, measure: str, keeps: Callable[[float], bool], *, relative: bool
    ) -> tuple[float | None, bool | None]:
        if measure == "cpu":
            return None, None
        value, margin = (0.1, 0.05) if relative else (0.002, 0.001)
        kept = {keeps(value - margin), keeps(value), keeps(value + margin)}
        return value, kept.pop() if len(kept) == 1 else None

    def unjudged(self, measure: str) -> str:
        return "nobody read it" if measure == "cpu" else ""


@pytest.mark.parametrize(
    ("expression", "passed", "undecided"),
    [
        ("diff(p95)<5ms", True, False),
        ("diff(p95)<1ms", False, False),
        ("diff(p95)<2.5ms", False, True),
        ("diff(p95)<20%", True, False),
        ("diff(rate)>-5%", True, False),
        ("diff(errors)<0.25%", False, True),
        ("diff(cpu)<1ms", False, True),
    ],
)
def test_difference_may_be_undecided(expression: str, passed: bool, undecided: bool) -> None:
    """A difference keeps a bound, or misses it, or is too uncertain to tell; errors differ in points."""
    judgement = judged(expression, account(), differences=Apart())
    assert (judgement.passed, judgement.undecided) == (passed, undecided)


def test_difference_below_nought_is_shown_as_such() -> None:
    """What got faster has a sign."""
    threshold = parse_threshold("diff(p95)<1ms")
    assert Judgement(threshold=threshold, actual=-0.002, passed=True).describe() == "-2 ms"


def test_refusals_by_quota_are_no_errors() -> None:
    """Replies of 429 leave the error share at nought, and have a share of their own."""
    run = account({"GET /": tally(1, 1, status=429)})
    assert judged("errors==0%", run).passed
    assert not judged("limited<50%", run).passed


def test_exceptions_in_tasks_are_errors() -> None:
    """What a task raised counts, although it was no request."""
    raised = Tally()
    raised.task_error("in a task: LookupError")
    run = account({"tasks": raised, "GET /": tally(1)})
    assert judged("errors<50%", run).actual == 0.5
