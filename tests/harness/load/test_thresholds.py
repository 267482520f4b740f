"""Thresholds as they are written, and whether a run keeps them."""

from __future__ import annotations

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import DEFAULT, EXAMPLES, judge, parse_threshold


def tally(*milliseconds: float, status: int = 200, error: str | None = None) -> Tally:
    """A tally of requests with these latencies."""
    made = Tally()
    for latency in milliseconds:
        made.reply(latency / 1000, status=status, error=error)
    return made


@pytest.mark.parametrize(
    ("expression", "metric", "percent", "bound"),
    [
        ("p95<200ms", "p", 95, 0.2),
        ("p(99.9) < 1s", "p", 99.9, 1.0),
        ("P50<=1.5m", "p", 50, 90.0),
        ("max<300us", "max", 0, 0.0003),
        ("avg<300µs", "avg", 0, 0.0003),
        ("errors<0.1%", "errors", 0, 0.001),
        ("errors==0", "errors", 0, 0.0),
        ("limited <= 100%", "limited", 0, 1.0),
        ("rate>50", "rate", 0, 50.0),
        ("rate>=12.5/s", "rate", 0, 12.5),
        ("requests>100", "requests", 0, 100.0),
    ],
)
def test_threshold_is_read_as_written(expression: str, metric: str, percent: float, bound: float) -> None:
    """Metric, percentile and bound are what the text says, in seconds, shares and counts."""
    threshold = parse_threshold(expression)
    assert (metric, percent, bound) == (threshold.metric, threshold.percent, threshold.bound)
    assert threshold.expression == expression


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "expected a metric, an operator and a value"),
        ("p95", "expected a metric, an operator and a value"),
        ("p95<200", "did you mean 200ms or 200s?"),
        ("p95<", "found nothing"),
        ("p95=200ms", "did you mean ==?"),
        ("p95=<200ms", "did you mean <=?"),
        ("p95<<200ms", "expected one of < <= > >= =="),
        ("p101<200ms", "up to 100, found p101"),
        ("p0<200ms", "up to 100, found p0"),
        ("p(95<200ms", "did you mean p95?"),
        ("mean<200ms", "did you mean avg?"),
        ("error<1%", "did you mean errors?"),
        ("colour<1%", "expected p50 to p100, avg"),
        ("errors<1", "did you mean 1%?"),
        ("errors<101%", "up to 100%"),
        ("errors<-1%", "expected a percentage"),
        ("errors<0%", "no run can keep it"),
        ("errors>100%", "no run can keep it"),
        ("max<0ms", "no run can keep it"),
        ("rate>5ms", "expected requests per second"),
        ("requests>1.5", "expected a whole number"),
        ("requests>²", "expected a whole number"),
    ],
)
def test_unreadable_or_impossible_threshold_is_explained(expression: str, words: str) -> None:
    """What cannot be read or never holds is refused in one line that says what to write instead."""
    with pytest.raises(ValueError, match="threshold") as caught:
        parse_threshold(expression)
    assert words in str(caught.value)
    assert repr(expression) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expression", [DEFAULT, *EXAMPLES.replace(" or ", ", ").split(", ")])
def test_examples_in_the_help_are_valid(expression: str) -> None:
    """Every example that help and messages show can be used."""
    assert parse_threshold(expression).expression == expression


@given(st.text())
def test_any_text_is_read_or_explained(text: str) -> None:
    """No input makes the parser fail in another way than with its own explanation."""
    try:
        parse_threshold(text)
    except ValueError as error:
        assert str(error).startswith("threshold ")  # noqa: PT017 - either outcome is right


@given(
    st.lists(st.integers(1, 10_000), min_size=1),
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.integers(1, 10_000),
)
def test_judgement_is_the_comparison_of_the_exact_values(values: list[int], sign: str, bound: int) -> None:
    """The slowest request is held against the bound exactly, in whole microseconds."""
    compare = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}
    judgement = judge(
        parse_threshold(f"max{sign}{bound}us"), tally(*(value / 1000 for value in values)), duration=1.0
    )
    assert judgement.passed == compare[sign](max(values), bound)


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
    ],
)
def test_every_metric_is_measured(expression: str, actual: float, shown: str) -> None:
    """Each metric reads its own measure of the run, and shows it in its own unit."""
    run = Tally()
    run.reply(0.001, status=200)
    run.reply(0.001, status=200)
    run.reply(0.002, status=500, error="HTTP 500")
    run.reply(0.004, status=429)
    judgement = judge(parse_threshold(expression), run, duration=2.0)
    assert judgement.actual == pytest.approx(actual, rel=0.001)
    assert judgement.describe() == shown


@pytest.mark.parametrize("expression", ["p95<1s", "avg<1s", "max<1s", "errors==0%", "limited==0%"])
def test_nothing_measured_keeps_no_threshold(expression: str) -> None:
    """Without a request, no bound on latency or errors holds."""
    judgement = judge(parse_threshold(expression), Tally(), duration=1.0)
    assert (judgement.actual, judgement.passed, judgement.describe()) == (None, False, "nothing measured")


def test_refusals_by_quota_are_no_errors() -> None:
    """Replies of 429 leave the error share at nought, and have a share of their own."""
    run = tally(1, 1, status=429)
    assert judge(parse_threshold("errors==0%"), run, duration=1.0).passed
    assert not judge(parse_threshold("limited<50%"), run, duration=1.0).passed
