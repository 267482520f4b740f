"""Verdicts, reasons, and the report as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.generator import How, Outcome
from garrison_harness.load.health import Health
from garrison_harness.load.judging import Evidence
from garrison_harness.load.plan import Plan
from garrison_harness.load.promise import Promise
from garrison_harness.load.report.text import render
from garrison_harness.load.result import Result, judge_all
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import Judgement, parse_threshold
from garrison_harness.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Sequence


LIMITED = Health(reasons=("the load process used more than 90% of its core: take fewer users",))
BROKEN = Promise(id="ids", title="every reply has an id", verdict="broken", detail="2 of 20 had none")


def result(
    *expressions: str,
    how: How = "finished",
    detail: str = "",
    requests: int = 4,
    cpu: float = 0.5,
    failing: Sequence[str] = (),
    health: Health | None = None,
    promises: tuple[Promise, ...] = (),
) -> Result:
    """A run of two seconds."""
    tally = Tally()
    for number in range(requests):
        tally.reply(0.001 * (number + 1), status=200)
    for path in failing:
        tally.reply(0.001, status=500, error="HTTP 500", path=path)
    account = Account(duration=2.0, cpu=cpu, addresses=3, names={"GET /": tally})
    thresholds = [parse_threshold(text) for text in expressions or ["errors==0%"]]
    return Result(
        target=parse_target(["shop:app"]),
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        plan=Plan(base_url="http://127.0.0.1:8000", users=3, spawn_rate=3, duration=2.0),
        outcome=Outcome(how=how, detail=detail, account=account),
        judgements=judge_all(thresholds, Evidence(account=account)),
        health=health or Health(),
        promises=promises,
    )


@pytest.mark.parametrize(
    ("made", "verdict", "status"),
    [
        (result(), "passed", 0),
        (result("avg<1us"), "failed", 1),
        (result("rate>=0", requests=0), "failed", 1),
        (result(how="interrupted"), "inconclusive", 4),
        (result("avg<1us", how="target died"), "inconclusive", 4),
        (result("avg<1us", health=LIMITED), "inconclusive", 4),
        (result("avg<1s", health=LIMITED), "passed", 0),
        (result(promises=(BROKEN,)), "failed", 1),
    ],
)
def test_verdict_decides_the_exit_status(made: Result, verdict: str, status: int) -> None:
    """Kept is 0, missed or nothing sent is 1, and a run that was cut short says nothing: 4."""
    assert made.verdict == verdict
    assert made.exit_status == status


def test_threshold_that_aborted_the_run_stays_missed() -> None:
    """Replies that came in after the decision do not take it back."""
    aborting, other = parse_threshold("errors<10% abort"), parse_threshold("max<1s")
    missed = Judgement(threshold=aborting, actual=0.5, passed=False)
    tally = Tally()
    tally.reply(0.001, status=200)
    evidence = Evidence(account=Account(duration=2.0, names={"GET /": tally}))
    found = judge_all([other, aborting], evidence, aborted=missed)
    assert [(one.threshold, one.passed, one.actual) for one in found] == [
        (other, True, 0.001),
        (aborting, False, 0.5),
    ]


def test_json_tells_how_it_was_judged() -> None:
    """The thresholds, the generator's health, the promises, and why it ended."""
    made = result(
        "avg<1s", "avg{name:x}<1s", how="aborted", detail="it was", health=LIMITED, promises=(BROKEN,)
    )
    found = made.to_record()
    assert (found["verdict"], found["complete"], found["aborted"]) == ("failed", False, True)
    assert found["reason"] == "aborted after 2.0 s: it was"
    assert [(one["passed"], one["actual"], one["undecided"]) for one in found["thresholds"]] == [
        (True, 0.0025, False),
        (False, None, False),
    ]
    assert [one["note"] for one in found["thresholds"]] == [
        "",
        "no request is named 'x'; there were GET /",
    ]
    assert (found["health"]["limited"], found["health"]["reasons"]) == (True, list(LIMITED.reasons))
    assert found["promises"] == [
        {
            "id": "ids",
            "title": "every reply has an id",
            "verdict": "broken",
            "detail": "2 of 20 had none",
            "examples": [],
        }
    ]


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
    made.outcome.account.names["GET /"].reply(0.001, status=500, error="HTTP 500 at /a", path="/a")
    assert "            1 HTTP 500 at /a" in render(made).splitlines()


def test_target_is_the_object_that_an_audit_reports() -> None:
    """Both reports describe a target alike."""
    expected = {"kind": "import", "words": ["shop:app"], "url": "http://127.0.0.1:8000"}
    assert result().to_record()["target"] == expected


def test_limit_of_the_generator_is_pointed_out() -> None:
    """Where the generator was the limit, the report says so even if every threshold was kept."""
    assert "used more than 90% of its core" in render(result(health=LIMITED))
