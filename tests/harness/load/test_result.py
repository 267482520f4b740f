"""Verdicts, reasons, and the report as text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.command import write
from garrison_harness.load.generator import How, Outcome
from garrison_harness.load.plan import Plan, Report
from garrison_harness.load.result import EXIT_STATUSES, Result, judge_run
from garrison_harness.load.tally import Tally
from garrison_harness.load.text import render
from garrison_harness.load.thresholds import parse_threshold
from garrison_harness.target import UsageFault, parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence


def result(
    *expressions: str,
    how: How = "finished",
    detail: str = "",
    requests: int = 4,
    cpu: float = 0.5,
    failing: Sequence[str] = (),
) -> Result:
    """A run of two seconds."""
    tally = Tally()
    for number in range(requests):
        tally.reply(0.001 * (number + 1), status=200)
    for path in failing:
        tally.reply(0.001, status=500, error="HTTP 500", path=path)
    report = Report(ended="finished", duration=2.0, cpu=cpu, addresses=3, tally=tally)
    return judge_run(
        target=parse_target(["shop:app"]),
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        plan=Plan(base_url="http://127.0.0.1:8000", users=3, spawn_rate=3, duration=2.0),
        outcome=Outcome(how=how, detail=detail, report=report),
        thresholds=[parse_threshold(text) for text in expressions or ["errors==0%"]],
    )


@pytest.mark.parametrize(
    ("made", "verdict", "status"),
    [
        (result(), "passed", 0),
        (result("avg<1us"), "failed", 1),
        (result("rate>=0", requests=0), "failed", 1),
        (result(how="interrupted"), "inconclusive", 4),
        (result("avg<1us", how="target died"), "inconclusive", 4),
    ],
)
def test_verdict_decides_the_exit_status(made: Result, verdict: str, status: int) -> None:
    """Kept is 0, missed or nothing sent is 1, and a run that was cut short says nothing: 4."""
    assert made.verdict == verdict
    assert EXIT_STATUSES[made.verdict] == status


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("interrupted", "interrupted after 2.0 s"),
        ("target died", "the target died under load (signal 9) after 2.0 s"),
        ("generator died", "the load process died (signal 9) after 2.0 s"),
        ("generator stuck", "did not end in time"),
    ],
)
def test_reason_says_why_a_run_is_partial(how: How, words: str) -> None:
    """A run that was cut short says what happened, when, and that its figures are partial."""
    reason = result(how=how, detail="signal 9" if "died" in how else "").reason
    assert reason is not None
    assert words in reason
    assert "partial" in reason


def test_text_shows_each_threshold_with_its_actual_value() -> None:
    """A PASS or FAIL line stands for every threshold, and the last line sums up."""
    lines = render(result("max<1s", "rate>50")).splitlines()
    assert lines[-3:] == ["PASS  max<1s   4 ms", "FAIL  rate>50  2.0/s", "FAILED: 1 of 2 thresholds missed"]


def test_text_fits_a_terminal() -> None:
    """No line is longer than 80 columns, however long the reason is."""
    detail = "exit status 1; its log ends with: " + "word " * 40
    assert max(map(len, render(result(how="target died", detail=detail, cpu=1.9)).splitlines())) <= 80


def test_errors_are_shown_with_the_paths_that_gave_them() -> None:
    """A few paths stand beside each kind of error, in the text and in the JSON, however long they are."""
    long = "/" + "x-" * 100
    failing = ["/a", "/b?c=d", "/a", long, "/too/many"]
    made = result(failing=failing)
    lines = render(made).splitlines()
    found = made.to_record()["error_kinds"]
    at = lines.index("            5 HTTP 500: /a, /b?c=d,")
    assert lines[at + 1] == f"              {long[:57]}..."
    assert max(map(len, lines)) <= 80
    assert found == {"HTTP 500": {"count": 5, "paths": ["/a", "/b?c=d", f"{long[:57]}..."]}}


def test_a_path_is_not_said_twice() -> None:
    """A locustfile's own words may name the path already."""
    made = result()
    made.outcome.report.tally.reply(0.001, status=500, error="HTTP 500 at /a", path="/a")
    assert "            1 HTTP 500 at /a" in render(made).splitlines()


def test_target_is_the_object_that_an_audit_reports() -> None:
    """Both reports describe a target alike."""
    expected = {"kind": "import", "words": ["shop:app"], "url": "http://127.0.0.1:8000"}
    assert result().to_record()["target"] == expected


def test_busy_client_is_pointed_out() -> None:
    """Where the load process used most of a core, the report says whose latency it may be."""
    assert "the client was busy" in render(result(cpu=1.9))
    assert "the client was busy" not in render(result(cpu=1.0))


def test_result_that_cannot_be_written_is_explained() -> None:
    """A file that turns out not to be writable is one line with the fix, even for root."""
    with pytest.raises(
        UsageFault, match=r"^--output /proc/load\.json could not be written: .*; name another"
    ):
        write("{}", Path("/proc/load.json"))
