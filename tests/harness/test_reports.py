"""The report in each form, made from an outcome by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from garrison_harness.audit import Outcome, Result
from garrison_harness.finding import Confidence, Finding, Location, Severity, Verdict, judged, not_run
from garrison_harness.report import json_report, sarif, text
from garrison_harness.report.report import Report
from garrison_harness.target import parse_target
from tests.harness.commands import APPS
from tests.harness.recordings import check_named

FOUND = Finding(
    message="anyone may look in",
    location=Location(method="GET", target="/a"),
    evidence=("GET /a -> 200 OK", "server: x" * 20),
)
LIKELY = replace(FOUND, message="perhaps 17 bytes too many", confidence=Confidence.LIKELY)
HINT = replace(FOUND, message="by the way", confidence=Confidence.INFO, severity=Severity.INFO)


def results(**verdicts: Verdict) -> tuple[Result, ...]:
    """The results of checks by id."""
    return tuple(Result(check=check_named(name), verdict=verdict) for name, verdict in verdicts.items())


def report(found: tuple[Result, ...] | None = None, *, stopped: str = "", obstacle: str = "") -> Report:
    """A report of one check in each state."""
    if found is None:
        found = results(E1=judged((FOUND,)), H2=judged((LIKELY, HINT)), H9=judged(()), H4=not_run("no https"))
    outcome = Outcome(
        url="http://127.0.0.1:8000",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        duration=1.5,
        requests=40,
        results=found,
        stopped=stopped,
        obstacle=obstacle,
    )
    return Report(
        target=parse_target(["good_app:app"]), outcome=outcome, fail_on=Severity.MEDIUM, directory=APPS
    )


@pytest.mark.parametrize(
    ("found", "stopped", "status"),
    [
        (results(H9=judged(())), "", 0),
        (results(H9=judged((FOUND,))), "", 0),
        (results(E1=judged((FOUND,))), "", 1),
        (results(E1=judged((LIKELY,))), "", 0),
        (results(E1=judged((FOUND,))), "time was up", 1),
        (results(H9=judged(())), "time was up", 4),
        (results(H4=not_run("no https")), "", 4),
    ],
    ids=["pass", "low", "fail", "likely", "fail and stopped", "stopped", "nothing judged"],
)
def test_only_confirmed_findings_of_the_level_fail(
    found: tuple[Result, ...], stopped: str, status: int
) -> None:
    """The exit status is 1 for failures, 4 where nothing can be concluded, and 0 otherwise."""
    assert report(found, stopped=stopped).outcome.exit_status(Severity.MEDIUM) == status


def test_the_json_document_has_its_documented_members() -> None:
    """Programs find every member that the documentation lists, in its order."""
    document = json.loads(json_report.render(report()))

    assert list(document) == [
        *("schema_version", "tool", "target", "started", "duration", "requests", "stopped", "obstacle"),
        *("fail_on", "exit_status", "summary", "checks"),
    ]
    assert document["started"] == "2026-01-02T03:04:05+00:00"
    assert document["summary"] == {"passed": 1, "failed": 2, "not_run": 1, "failing_findings": 1}
    assert document["target"] == {"kind": "import", "words": ["good_app:app"], "url": "http://127.0.0.1:8000"}
    assert [found["status"] for found in document["checks"]] == ["failed", "failed", "passed", "not run"]
    assert document["checks"][3]["reason"] == "no https"
    finding = document["checks"][0]["findings"][0]
    assert list(finding) == ["message", "severity", "confidence", "location", "evidence"]
    assert all(
        f"`{name}`" in (json_report.__doc__ or "")
        for name in (*document, *document["summary"], *document["checks"][0], *finding)
    )


def run_of(document: str) -> dict[str, Any]:
    """The only run of a SARIF document."""
    parsed = json.loads(document)
    assert parsed["version"] == "2.1.0"
    assert parsed["$schema"].endswith("sarif-2.1.0.json")
    (run,) = parsed["runs"]
    assert isinstance(run, dict)
    return run


def test_sarif_has_what_code_scanning_requires() -> None:
    """Every rule is described and every result has a file, a region and a fingerprint."""
    run = run_of(sarif.render(report()))

    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == 3
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["properties"]["tags"]) <= 10
    for result in run["results"]:
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert result["message"]["text"]
        assert result["level"] in {"note", "warning", "error"}
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert physical["artifactLocation"]["uri"] == "good_app.py"
        assert set(physical["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_two_findings_of_one_kind_stay_two_alerts() -> None:
    """Code scanning takes results of one fingerprint for one, so like findings are numbered."""
    twins = judged((LIKELY, replace(LIKELY, message="perhaps 23 bytes too many")))
    first, second = run_of(sarif.render(report(results(H2=twins))))["results"]

    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in (first, second)]
    assert [one.partition(":")[2] for one in prints] == ["1", "2"]
    assert prints[0].partition(":")[0] == prints[1].partition(":")[0]


def test_a_file_with_a_space_in_its_name_is_a_uri(tmp_path: Path) -> None:
    """Code scanning refuses a whole document for one location that is no URI."""
    (tmp_path / "my shop.py").touch()
    command = parse_target(["/bin/sh", "my shop.py", "{port}"])
    run = run_of(sarif.render(replace(report(), target=command, directory=tmp_path)))

    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "my%20shop.py"


def test_words_that_are_no_text_can_be_reported() -> None:
    """A file name in another encoding breaks no form of the report."""
    command = parse_target(["/bin/sh", "caf\udce9", "{port}"])
    odd = replace(report(), target=command)
    page = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")

    text.write(odd, page)
    page.flush()

    assert json.loads(json_report.render(odd).encode("ascii"))["target"]["words"][1] == "caf\udce9"
    assert sarif.render(odd).encode("ascii")


def test_a_fingerprint_outlasts_what_changes_between_audits() -> None:
    """Numbers do not count, the check and what it found do."""
    other = replace(LIKELY, message="perhaps 23 bytes too many")
    prints = [
        run_of(sarif.render(report(results(H2=judged((found,))))))["results"][0]["partialFingerprints"]
        for found in (LIKELY, other, FOUND)
    ]

    assert prints[0] == prints[1] != prints[2]


def test_a_page_that_was_none_is_said_in_every_form() -> None:
    """The exit status, the members and the notifications agree that the audit proves nothing."""
    blocked = report(results(H9=judged(())), obstacle="GET / answered 421; name a host")
    document = json.loads(json_report.render(blocked))
    (invocation,) = run_of(sarif.render(blocked))["invocations"]
    page = io.StringIO()
    text.write(blocked, page)

    assert (document["exit_status"], document["obstacle"]) == (4, "GET / answered 421; name a host")
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "warning"
    assert "GET / answered 421" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    assert page.getvalue().endswith("INCONCLUSIVE: GET / answered 421; name a host\n")


def test_the_text_fits_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain lines, a line a check, the worst finding first, the verdict last."""
    monkeypatch.setenv("COLUMNS", "80")
    page = io.StringIO()

    text.write(report(), page)

    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in page.getvalue()
    assert lines[3].split() == ["FAIL", "E1", *check_named("E1").title.split(), "high"]
    assert "           not run: no https" in lines
    heads = [line for line in lines if "confirmed:" in line or "likely:" in line or "info:" in line]
    assert [head.split()[0] for head in heads] == ["E1", "H2", "H2"]
    assert lines[-1] == "FAIL: 1 confirmed finding of severity medium or worse"


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR paints, NO_COLOR does not."""
    painted = {}
    for name, other in (("FORCE_COLOR", "NO_COLOR"), ("NO_COLOR", "FORCE_COLOR")):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.setenv(name, "1")
        monkeypatch.setenv("TERM", "xterm-256color")
        page = io.StringIO()
        text.write(report(), page)
        painted[name] = "\x1b[" in page.getvalue()

    assert painted == {"FORCE_COLOR": True, "NO_COLOR": False}


def test_the_files_of_the_apps_are_where_the_tests_think() -> None:
    """The directory that reports are relative to is that of the test apps."""
    assert Path(APPS, "good_app.py").is_file()
