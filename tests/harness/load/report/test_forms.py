"""The forms of a result: what each holds, and that they agree."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, fromstring

import jsonschema
import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.names import IN_TASKS, OTHER_REQUESTS
from garrison_harness.load.report import html_report, junit, text
from garrison_harness.load.report.csv_report import render as render_csv
from garrison_harness.load.report.forms import CSV_SUFFIXES, FORMS, write
from garrison_harness.load.report.json_schema import schema
from garrison_harness.load.series import Second
from garrison_harness.load.tally import Tally
from tests.harness.load.report.recorded import CAPACITY, account, resources, result
from tests.harness.test_report_schemas import HOSTILE, JUNIT
from tests.harness.test_report_schemas import schema as published
from tests.missing import do_without

if TYPE_CHECKING:
    from garrison_harness.load.result import Result


def hostile() -> Account:
    """A run whose target and locustfile said whatever they liked."""
    made = account(3)
    tally = Tally()
    tally.reply(0.01, status=500, error=HOSTILE, path=HOSTILE)
    made.names[f"GET {HOSTILE}"] = tally
    made.names[IN_TASKS] = Tally()
    made.names[IN_TASKS].task_error(HOSTILE)
    made.tags[HOSTILE] = tally
    made.series.add(Second(at=4.0, width=1.0, tally=tally))
    return made


def many_names() -> Account:
    """A run with more kinds of request than text has room for."""
    made = account(2)
    for number in range(30):
        made.names[f"GET /things/of/a/kind/that/has/a/long/name/{number}"] = Tally()
    made.names[OTHER_REQUESTS] = Tally()
    return made


RESULTS = {
    "whole": result("p95<200ms", "rate>50", "diff(p95)<1ms", "lag_p99<1s", full=True),
    "passed": result(),
    "closed": result(seen=account(5, open_model=False), rate=None),
    "nothing": result(seen=Account()),
    "one second": result(seen=account(1)),
    "missed": result("p95<1us"),
    "interrupted": result(how="interrupted"),
    "target died": result("p95<1us", how="target died", detail=f"signal 9; its log ends with: {HOSTILE}"),
    "aborted": result("p95<1us abort", how="aborted", detail="p95<1us was missed: 7 ms"),
    "hostile": result(seen=hostile()),
    "many names": result(seen=many_names()),
    "capacity": result(capacity=CAPACITY),
    "uncertain": replace(result("diff(p99)<5ms", "diff(p50)<5ms", full=True), promises=()),
    "no selector": result("errors{name:GET /itms}<1%", "p95{name:GET /items}<1s"),
}
each = pytest.mark.parametrize("made", RESULTS.values(), ids=RESULTS.keys())


@cache
def validator() -> jsonschema.Draft202012Validator:
    """What holds a document against our schema, which is itself in order."""
    rules = schema()
    jsonschema.Draft202012Validator.check_schema(rules)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(rules, format_checker=checker)


@cache
def jenkins() -> Any:
    """What Jenkins reads results by."""
    try:
        import xmlschema  # noqa: PLC0415 - perhaps missing
    except ImportError:
        do_without("xmlschema is missing: pip install xmlschema")
    return xmlschema.XMLSchema(published(JUNIT))


def cases(made: Result) -> dict[str, Element]:
    """The test cases of a JUnit report by name."""
    return {case.get("name", ""): case for case in fromstring(junit.render(made)).iter("testcase")}  # noqa: S314


def rows(made: Result, suffix: str) -> list[dict[str, str]]:
    """What is in a CSV file, by column."""
    return list(csv.DictReader(io.StringIO(render_csv(made, suffix))))


@each
def test_every_json_report_is_valid(made: Result) -> None:
    """The schema that we publish describes every member, and knows no other."""
    assert [error.message for error in validator().iter_errors(json.loads(made.to_json()))] == []


def test_the_json_schema_describes_every_member() -> None:
    """Nobody has to guess what a member means, or in what unit it is."""
    undescribed = []

    def walk(part: Any, name: str) -> None:
        if isinstance(part, list):
            for one in part:
                walk(one, name)
        if not isinstance(part, dict):
            return
        for member, rule in part.get("properties", {}).items():
            if not rule.get("description"):
                undescribed.append(f"{name}.{member}")
            walk(rule, f"{name}.{member}")
        for member in ("items", "anyOf", "additionalProperties"):
            walk(part.get(member), f"{name}[]")

    rules = schema()
    walk(rules, "")
    for name, rule in rules["$defs"].items():
        walk(rule, name)

    assert undescribed == []


@each
def test_every_junit_report_is_valid(made: Result) -> None:
    """The published XML Schema that Jenkins reads results by has nothing against it."""
    assert [error.reason for error in jenkins().iter_errors(junit.render(made))] == []


@each
def test_every_form_says_the_same(made: Result) -> None:
    """JUnit is red where the exit status is, and text, HTML and JSON have the same verdict."""
    suites = fromstring(junit.render(made))  # noqa: S314 - our own
    failures, errors = int(suites.get("failures", "")), int(suites.get("errors", ""))
    page, document = text.render(made), json.loads(made.to_json())

    assert (failures > 0) == (made.exit_status == 1)
    assert (errors > 0) == (made.exit_status == 4)
    assert f"\n{made.verdict.upper()}: " in page
    assert f'<span class="verdict {made.verdict}">' in html_report.render(made)
    assert document["verdict"] == made.verdict


@pytest.mark.parametrize("form", [form for form in FORMS if form != "csv"])
def test_every_form_can_be_written(form: str) -> None:
    """And ends with a line break, as files of text do."""
    page = io.StringIO()
    write(RESULTS["passed"], form, page)

    assert page.getvalue().endswith("\n")


@each
@pytest.mark.parametrize("suffix", CSV_SUFFIXES)
def test_every_file_of_csv_can_be_read(made: Result, suffix: str) -> None:
    """Whatever a run came to, each row has a cell for each column."""
    heads, *lines = csv.reader(io.StringIO(render_csv(made, suffix)))

    assert {len(line) for line in lines} <= {len(heads)}


@each
def test_text_fits_a_terminal(made: Result) -> None:
    """No line is longer than 80 columns, and none does anything to the terminal."""
    lines = text.render(made).splitlines()

    assert [line for line in lines if len(line) > 80] == []
    assert all(line.isprintable() for line in lines)


def test_the_reference_has_every_form() -> None:
    """What can be asked for is told of, and where the schema is."""
    page = (Path(__file__).parents[4] / "docs" / "reference" / "load-reports.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| [a-zA-Z]", page, re.MULTILINE)[: len(FORMS)] == list(FORMS)
    assert all(suffix in page for suffix in CSV_SUFFIXES)
    (link,) = re.findall(r"\]\(\.\./\.\./(harness/[^)]+\.json)\)", page)
    assert json.loads((Path(__file__).parents[4] / link).read_text(encoding="utf-8")) == schema()


def test_text_has_every_part_of_a_run() -> None:
    """What was asked, what came of it, the generator, the target, hardening, comparison and the verdict."""
    page = text.render(RESULTS["whole"])
    for words in (
        "asked     40 arrivals/s for 20 s: GET /",
        "arrivals  800 due, 18 late (2.25%), 0 dropped (0%)",
        "latency   min ",
        "client    20% of one core, can do 9,400/s here, 8 source addresses",
        "memory    121 MB at most, grew by 0.566%",
        "loop lag  p50 1.46 ms",
        "GET /items/{id}                        200        5  2.54 ms  5.75 ms  51.3 ms",
        "KEPT    Security headers stay: on all 1,200 samples",
        "BROKEN  Errors are problem documents: 3 of 29 errors were not",
        "| GET /items/17 answered 500 as text/plain",
        "Compared with bare, loaded in turn in 6 rounds",
        "PASS  p95<200ms      9.37 ms",
        "FAIL  rate>50        40.0/s",
    ):
        assert words in page
    # What tasks raise is no request of a name.
    assert "\n  tasks" not in page


@pytest.mark.parametrize(
    ("resent", "words"), [(1, "resent    1 time: the"), (1200, "resent    1,200 times: the")]
)
def test_text_says_how_often_requests_were_sent_again(resent: int, words: str) -> None:
    """It is not in the errors, and the target may drop requests."""
    seen = account(3)
    seen.names["GET /items"].resent = resent
    assert words in text.render(result(seen=seen))


def test_a_difference_that_cannot_be_told_is_neither_kept_nor_missed() -> None:
    """It has a word of its own, and is an error in JUnit: a longer run may tell."""
    page = text.render(RESULTS["uncertain"])
    assert "\nUNSURE  diff(p99)<5ms  12.5 ms\nPASS    diff(p50)<5ms  1.15 ms\nINCONCLUSIVE: " in page
    assert '<span class="verdict unsure">UNSURE</span>' in html_report.render(RESULTS["uncertain"])
    assert [part.tag for part in cases(RESULTS["uncertain"])["diff(p99)<5ms"]] == ["error"]


def test_text_shows_the_ten_most_frequent_names() -> None:
    """The others are counted, and are in the other forms."""
    page = text.render(RESULTS["many names"])
    assert page.count("GET /things/of/a/kind") == 6
    assert "and 25 more names" in page
    assert "/a/long/name/29" in html_report.render(RESULTS["many names"])


def test_text_shows_the_search_for_the_capacity() -> None:
    """Each step with what was answered, and why the last one broke."""
    lines = text.render(RESULTS["capacity"]).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("Capacity: 200 arrivals/s"))
    assert lines[at + 3 : at + 6] == [
        "           100     100.0/s    2.1 ms       0%  held",
        "           200     199.0/s    4.8 ms       0%  held",
        "           400     260.0/s     1.2 s     3.1%  p95 took off: 1.2 s",
    ]


def test_colours_are_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has none; FORCE_COLOR asks for them, and NO_COLOR has the last word."""

    def written() -> str:
        page = io.StringIO()
        text.write(RESULTS["missed"], page)
        return page.getvalue()

    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert written() == text.render(RESULTS["missed"])
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mFAIL" in written()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in written()
    assert "\x1b[31m" not in written()


def test_junit_has_a_test_for_each_threshold_promise_and_the_generator() -> None:
    """Failed, skipped or passed as they are, with the report for people beside them."""
    found = cases(RESULTS["whole"])
    assert {name: [part.tag for part in case] for name, case in found.items()} == {
        "the run can be judged": ["system-out"],
        "the generator was not the limit": ["system-out"],
        "p95<200ms": ["system-out"],
        "rate>50": ["failure"],
        "diff(p95)<1ms": ["failure"],
        "lag_p99<1s": ["system-out"],
        "headers Security headers stay": ["system-out"],
        "problems Errors are problem documents": ["failure"],
        "quota Limits are exact": ["skipped"],
    }
    assert (found["rate>50"][0].get("message") or "") == "rate>50 was expected, 40.0/s was measured"
    assert "GET /items/17" in (found["problems Errors are problem documents"][0].text or "")
    assert (found["the run can be judged"][0].text or "").startswith("Load on shop:app")


def test_junit_calls_what_proves_nothing_an_error() -> None:
    """A run that was cut short fails no threshold, and passes none that it missed."""
    found = cases(RESULTS["target died"])
    assert [part.tag for part in found["p95<1us"]] == ["error"]
    assert [part.tag for part in found["the run can be judged"]] == ["error", "system-out"]


def test_junit_calls_a_run_without_requests_a_failure() -> None:
    """Also where no threshold says so."""
    assert [part.tag for part in cases(RESULTS["nothing"])["the run can be judged"]][-1] == "system-out"
    assert any(case.find("failure") is not None for case in cases(RESULTS["nothing"]).values())


def test_csv_has_the_columns_of_locust() -> None:
    """The Locust that is installed writes the same ones, so that what reads its files reads ours."""
    source = (
        "import tempfile, json, locust.stats as s\n"
        "w = s.StatsCSVFileWriter(None, s.PERCENTILES_TO_REPORT, tempfile.mkdtemp() + '/x')\n"
        "print(json.dumps([w.requests_csv_columns, w.stats_history_csv_columns, w.failures_columns,"
        " w.exceptions_columns]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=50
    )
    ours = [next(csv.reader(io.StringIO(render_csv(RESULTS["passed"], suffix)))) for suffix in CSV_SUFFIXES]

    assert ours == json.loads(done.stdout)


def test_csv_has_a_row_for_each_name_and_one_for_all() -> None:
    """In milliseconds, exact to the microsecond."""
    found = rows(RESULTS["passed"], "_stats.csv")
    assert [(row["Type"], row["Name"]) for row in found] == [
        ("GET", "/items"), ("POST", "/items"), ("GET", "/items/{id}"), ("GET", "/search"), ("", "Aggregated")
    ]  # fmt: skip
    whole = found[-1]
    assert (whole["Request Count"], whole["Requests/s"]) == ("800", "40.0")
    assert whole["Median Response Time"] == whole["50%"] == "2.909"
    assert float(whole["Min Response Time"]) == 0.265
    assert sum(int(row["Request Count"]) for row in found[:-1]) == 800
    assert sum(int(row["Failure Count"]) for row in found[:-1]) == int(whole["Failure Count"]) == 14
    assert float(found[0]["Average Content Size"]) == 501.76


def test_csv_history_has_a_row_for_each_interval() -> None:
    """Percentiles are those of the interval, and what begins with Total is of all so far."""
    found = rows(RESULTS["passed"], "_stats_history.csv")
    assert len(found) == 20
    assert int(found[1]["Timestamp"]) - int(found[0]["Timestamp"]) == 1
    assert [row["Total Request Count"] for row in found[:3]] == ["40", "80", "120"]
    assert found[-1]["Total Failure Count"] == "14"
    assert found[2]["95%"] != found[1]["95%"]
    assert found[0]["User Count"] == "6"


def test_csv_tells_failures_by_name_and_exceptions_by_themselves() -> None:
    """As Locust has them apart: what tasks raised is no failure of a request."""
    failures, exceptions = (
        rows(RESULTS["passed"], "_failures.csv"),
        rows(RESULTS["passed"], "_exceptions.csv"),
    )
    assert sum(int(row["Occurrences"]) for row in failures) == 14
    assert {row["Error"] for row in failures} == {"HTTP 500", "ConnectionResetError: the peer reset it"}
    assert all(re.fullmatch(r"2026-01-02T03:04:\d\dZ", row["First Seen"]) for row in failures)
    assert all(row["First Seen"] <= row["Last Seen"] for row in failures)
    assert [(row["Count"], row["Message"]) for row in exceptions] == [("1", "in a task: KeyError: 'token'")]


def test_csv_of_a_run_without_requests_says_so_as_locust_does() -> None:
    """Percentiles of nothing are not available."""
    (whole,) = rows(RESULTS["nothing"], "_stats.csv")
    assert (whole["Request Count"], whole["99%"], whole["Requests/s"]) == ("0", "N/A", "0.0")
    assert rows(RESULTS["nothing"], "_stats_history.csv") == []


def test_html_lets_nothing_in() -> None:
    """What the target said is text, and the policy of the page allows its style and nothing else."""
    page = html_report.render(RESULTS["hostile"])
    assert "<b>&amp; " not in page
    assert "&lt;b&gt;&amp;amp; " in page
    assert "unsafe-inline" not in page
    assert "<script" not in page
    assert 'style="' not in page
    assert re.search(r"default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'", page)
    assert re.search(r"(?:src|href|url)\s*[=(]", page) is None


def test_html_has_no_id_twice() -> None:
    """Plots are named by them for who cannot see them."""
    page = html_report.render(RESULTS["whole"])
    names = re.findall(r' id="([^"]+)"', page)
    told = " ".join(re.findall(r'labelledby="([^"]+)"', page)).split()
    assert len(set(names)) == len(names)
    assert sorted(told) == sorted(names)


def test_html_has_the_numbers_behind_each_plot() -> None:
    """A table with a caption for every one of them."""
    page = html_report.render(RESULTS["whole"])
    plots = page.count('<svg class="plot"')
    assert plots == 9
    assert page.count("<details>") == page.count(": the numbers</caption>") == plots


def test_html_shows_the_target_for_as_long_as_a_search_took() -> None:
    """The rest of the page tells of one step of it, which is shorter."""
    step = result(full=True, seen=account(3), capacity=CAPACITY)
    whole = replace(step, resources=resources(40.0))
    assert "40.0</td>" in html_report.render(whole)
    assert "40.0</td>" not in html_report.render(replace(whole, capacity=None))


def test_html_of_a_run_without_requests_has_no_plots() -> None:
    """There is nothing to draw, and the reason stands at the top."""
    page = html_report.render(RESULTS["nothing"])
    assert '<svg class="plot"' not in page
    assert "no request was sent" in page
