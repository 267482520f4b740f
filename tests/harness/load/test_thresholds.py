"""Thresholds as they are written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.selector import Selector
from garrison_harness.load.thresholds import DEFAULT, EXAMPLES, OPEN_DEFAULT, parse_threshold

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(
    ("expression", "metric", "percent", "dimension", "bound"),
    [
        ("p95<200ms", "p", 95, "time", 0.2),
        ("p(99.9) < 1s", "p", 99.9, "time", 1.0),
        ("P50<=1.5m", "p", 50, "time", 90.0),
        ("max<300us", "max", 0, "time", 0.0003),
        ("avg<300µs", "avg", 0, "time", 0.0003),
        ("errors<0.1%", "errors", 0, "share", 0.001),
        ("errors==0", "errors", 0, "share", 0.0),
        ("limited <= 100%", "limited", 0, "share", 1.0),
        ("rate>50", "rate", 0, "rate", 50.0),
        ("rate>=12.5/s", "rate", 0, "rate", 12.5),
        ("requests>100", "requests", 0, "count", 100.0),
        ("dropped==0", "dropped", 0, "count", 0.0),
        ("dropped<=0.1%", "dropped", 0, "share", 0.001),
        ("late<5", "late", 0, "count", 5.0),
        ("late<0.1%", "late", 0, "share", 0.001),
        ("lag_p99<100ms", "lag_p99", 0, "time", 0.1),
        ("memory<1.5GB", "memory", 0, "size", 1.5e9),
        ("memory_growth<250%", "memory_growth", 0, "share", 2.5),
        ("diff(p95)<1ms", "p95", 0, "time", 0.001),
        ("diff(p(99.9))<10%", "p99.9", 0, "share", 0.1),
        ("diff(rate)>-5%", "rate", 0, "share", -0.05),
        ("diff(avg)<-1ms", "avg", 0, "time", -0.001),
        ("diff(errors)<0.1%", "errors", 0, "share", 0.001),
        ("diff(cpu)<20us", "cpu", 0, "time", 0.00002),
    ],
)
def test_threshold_is_read_as_written(
    expression: str, metric: str, percent: float, dimension: str, bound: float
) -> None:
    """Metric, percentile and bound are what the text says, in seconds, shares, counts and bytes."""
    threshold = parse_threshold(expression)
    found = threshold.metric.name, threshold.metric.percent, threshold.dimension, threshold.bound
    assert found == (metric, percent, dimension, bound)
    assert (threshold.expression, threshold.selector, threshold.abort_after) == (expression, None, None)


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("{name:GET /items}", "name", "GET /items"),
        ("{name:GET /items/{id}}", "name", "GET /items/{id}"),
        ("{name:GET /{a}/{b}/x}", "name", "GET /{a}/{b}/x"),
        ("{ name : GET /items?page=2&x<y }", "name", "GET /items?page=2&x<y"),
        ('{name:"GET /{odd"}', "name", "GET /{odd"),
        ("{name:'GET /}odd'}", "name", "GET /}odd"),
        (r'{name:"say \"hi\" \\ there"}', "name", r'say "hi" \ there'),
        ("{name:wait, abort after 10s}", "name", "wait, abort after 10s"),
        ("{tag:write}", "tag", "write"),
        ("{TAG:'a b'}", "tag", "a b"),
        ("{status:503}", "status", "503"),
        ("{status:5xx}", "status", "5xx"),
    ],
)
def test_selector_holds_any_name(written: str, kind: str, value: str) -> None:
    """Braces, blanks, signs and quotation marks can all be in the name of a request."""
    threshold = parse_threshold(f"requests{written}<10")
    assert threshold.selector == Selector(kind=kind, value=value)  # type: ignore[arg-type]  # from a table
    assert (threshold.metric.name, threshold.bound) == ("requests", 10)


@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_any_name_can_be_quoted(name: str) -> None:
    """Whatever a locustfile calls its requests, a threshold can say."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    selector = parse_threshold(f'p95{{name:"{escaped}"}}<1s').selector
    assert selector == Selector(kind="name", value=name)


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("p95<200ms abort", 0.0),
        ("p95<200ms  ABORT ", 0.0),
        ("p95 < 200ms abort after 10s", 10.0),
        ("errors{tag:write}<1% abort after 1.5m", 90.0),
        ("dropped==0 abort", 0.0),
        ("rate>500 abort after 5s", 5.0),
        ("requests{status:5xx}<10 abort", 0.0),
    ],
)
def test_abort_stands_behind_the_bound(written: str, after: float) -> None:
    """A threshold may end the run, at once or after a time."""
    assert parse_threshold(written).abort_after == after


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
        ("lag<1s", "did you mean lag_p99?"),
        ("colour<1%", "expected p50 to p100, avg"),
        ("errors<1", "did you mean 1%?"),
        ("errors<101%", "up to 100%"),
        ("errors<-1%", "expected a percentage"),
        ("errors<0%", "no run can keep it"),
        ("errors>100%", "no run can keep it"),
        ("max<0ms", "no run can keep it"),
        ("late<0", "no run can keep it"),
        ("rate>5ms", "expected requests per second"),
        ("requests>1.5", "expected a whole number"),
        ("requests>²", "expected a whole number"),
        ("memory<300", "did you mean 300MB?"),
        ("memory<much", "expected a size such as 300MB, found much"),
        ("diff(p0)<1ms", "up to 100, found p0"),
        ("diff(p)<1ms", "diff compares avg, a percentile, rate, errors or cpu, found diff(p)"),
        ("diff(limited)<1%", "found diff(limited)"),
        ("diff(rate)>5", "did you mean 5%?"),
        ("diff(p95)<1", "did you mean 1ms or 1s?"),
        ("p95{}<1s", "expected {name:...}, {tag:...} or {status:...}, found {}<1s"),
        ("p95{colour:red}<1s", "found {colour:red}"),
        ("p95{name:}<1s", "expected a name behind {name:, found nothing"),
        ("p95{name:GET /{odd}<1s", 'a name with an odd brace is quoted: {name:"GET /{"}'),
        ('p95{name:"GET /}<1s', 'expected "} at the end of what begins with "'),
        ("p95{name:a}b}<1s", "behind the selector, found b}<1s"),
        ("p95{name:a}", "behind the selector, found nothing"),
        ("p95{status:200}<1s", "replies of one status are only counted"),
        ("errors{status:200}<1%", "replies of one status are only counted"),
        ("rate{status:600}>1", "expected a status such as 503 or 5xx, found 600"),
        ("late{tag:write}<1%", "late is measured for the whole run: leave {tag:...} out"),
        ("lag_p99{name:x}<1s", "lag_p99 is measured for the whole run"),
        ("p95<1s abort after", "10s or 1m, found nothing"),
        ("p95<1s abort after 10", "behind abort: expected a number with a unit"),
        (
            "p95<1s abort soon",
            "behind abort: expected nothing, or after and a duration such as 10s, found soon",
        ),
        ("requests>100 abort", "leave abort out"),
        ("requests==100 abort", "leave abort out"),
        ("lag_p99<1s abort", "known at the end only: leave abort out"),
        ("diff(p95)<1ms abort", "known at the end only: leave abort out"),
    ],
)
def test_unreadable_or_impossible_threshold_is_explained(expression: str, words: str) -> None:
    """What cannot be read or never holds is refused in one line that says what to write instead."""
    with pytest.raises(ValueError, match="threshold") as caught:
        parse_threshold(expression)
    assert words in str(caught.value)
    assert repr(expression) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expression", [DEFAULT, OPEN_DEFAULT, *EXAMPLES.replace(" or ", ", ").split(", ")])
def test_examples_in_the_help_are_valid(expression: str) -> None:
    """Every example that help and messages show can be used."""
    assert parse_threshold(expression).expression == expression


def written_in_the_docs() -> list[str]:
    """Every threshold that a page shows."""
    pages = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    found = {text for page in pages for text in re.findall(r"--threshold '(.+?)'", page.read_text("utf-8"))}
    assert len(found) > 5
    return sorted(found)


@pytest.mark.parametrize("expression", written_in_the_docs())
def test_thresholds_of_the_documentation_are_valid(expression: str) -> None:
    """What a page shows can be copied."""
    assert parse_threshold(expression).expression == expression


@given(
    st.one_of(
        st.text(),
        st.lists(
            st.sampled_from([*"p95<>=!{}\"'\\ :%", "name", "tag", "abort", "after", "10s", "errors", "diff("])
        ).map("".join),
    )
)
def test_any_text_is_read_or_explained(text: str) -> None:
    """No input makes the parser fail in another way than with its own explanation."""
    try:
        parse_threshold(text)
    except ValueError as error:
        assert str(error).startswith("threshold ")  # noqa: PT017 - either outcome is right
