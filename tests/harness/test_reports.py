"""The report in each form, made from an outcome by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.finding import Confidence, Severity, judged, not_run
from garrison_harness.report import html_report, json_report, sarif, text
from garrison_harness.report.forms import write
from garrison_harness.report.hiding import hidden, secrets_of
from garrison_harness.report.place import handler
from garrison_harness.route import Route
from garrison_harness.target import parse_target
from tests.harness.recordings import check_named
from tests.harness.reports import FOUND, LIKELY, report, results

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.audit import Result


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
        *("fail_on", "exit_status", "summary", "baseline", "families", "observatory", "checks"),
    ]
    assert document["started"] == "2026-01-02T03:04:05+00:00"
    assert document["summary"] == {
        "passed": 1,
        "failed": 2,
        "accepted": 0,
        "not_run": 1,
        "failing_findings": 1,
    }
    assert document["target"] == {"kind": "import", "words": ["good_app:app"], "url": "http://127.0.0.1:8000"}
    assert [found["status"] for found in document["checks"]] == ["failed", "failed", "passed", "not run"]
    assert document["checks"][3]["reason"] == "no https"
    finding = document["checks"][0]["findings"][0]
    assert (finding["failing"], finding["confidence"]) == (True, "confirmed")
    assert finding["source"] == {"file": "pyproject.toml", "line": 1, "exact": False}


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
        assert physical["artifactLocation"]["uri"] == "pyproject.toml"
        assert set(physical["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert result["partialFingerprints"]["primaryLocationLineHash"]


def test_code_scanning_may_name_the_category() -> None:
    """An upload's category counts only where the file has none, and it tells several apps apart."""
    assert "automationDetails" not in run_of(sarif.render(report()))


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
    run = run_of(sarif.render(report(target=command, directory=tmp_path)))

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
    assert "<code>/bin/sh caf\\udce9 {port}</code>" in html_report.render(odd)


def test_a_fingerprint_outlasts_what_changes_between_audits() -> None:
    """What was measured does not count, the check and what it found do."""
    other = replace(LIKELY, message="perhaps 23 bytes too many")
    prints = [
        run_of(sarif.render(report(results(H2=judged((found,))))))["results"][0]["partialFingerprints"]
        for found in (LIKELY, other, FOUND)
    ]

    assert prints[0] == prints[1] != prints[2]


def test_a_fingerprint_outlasts_the_word_that_an_audit_makes_up() -> None:
    """The path that no app serves is another one each time; a digit of a path is the app's own."""
    prints = [
        run_of(sarif.render(report(results(E1=judged((replace(FOUND, location=location),))))))["results"][0]
        for location in (
            replace(FOUND.location, target="/garrison-0a1b2c3d4e5f"),
            replace(FOUND.location, target="/garrison-ffffffffffff"),
            replace(FOUND.location, target="/v1/search"),
            replace(FOUND.location, target="/v2/search"),
        )
    ]
    first, second, *others = (one["partialFingerprints"]["primaryLocationLineHash"] for one in prints)

    assert first == second
    assert len({first, *others}) == 3


@pytest.mark.parametrize(
    ("version", "semantic"),
    [
        ("1.2.3", "1.2.3"),
        ("0.1", "0.1.0"),
        ("1.2.3.dev4+local.5", "1.2.3-dev4.local.5"),
        ("2.0rc1", "2.0.0-rc1"),
    ],
)
def test_sarif_has_a_semantic_version(version: str, semantic: str) -> None:
    """What Python takes for a version is written as SemVer has it."""
    assert sarif._semantic(version) == semantic


def test_a_description_is_as_long_as_code_scanning_takes() -> None:
    """GitHub takes 1,024 letters, however much a check has to say."""
    (result,) = results(E1=judged((FOUND,)))
    wordy = replace(result, check=replace(result.check, why="x" * 5000))
    (rule,) = run_of(sarif.render(report((wordy,))))["tool"]["driver"]["rules"]

    assert len(rule["fullDescription"]["text"]) <= 1024


def test_the_worst_comes_first() -> None:
    """By severity, the sure before the likely, and what is worth knowing at the end."""
    big_hint = replace(FOUND, message="hint", confidence=Confidence.INFO)
    found = results(E1=judged((big_hint, LIKELY, FOUND)), H9=judged((FOUND,)))

    order = [(one.check.id, one.finding.confidence.value) for one in report(found).worst_first()]
    assert order == [("E1", "confirmed"), ("E1", "likely"), ("H9", "confirmed"), ("E1", "info")]


def test_a_secret_that_begins_another_leaves_no_rest() -> None:
    """The longer is hidden first."""
    secrets = secrets_of((("A", "abcdefgh"), ("B", "abcdefgh12345678"), ("C", "k=abcdefghij; x")))

    assert hidden("abcdefgh12345678 abcdefgh abcdefghij", secrets) == "[hidden] [hidden] [hidden]"


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


def test_a_finding_is_filed_under_the_line_of_its_handler(tmp_path: Path) -> None:
    """SARIF and text name the file and the line of the route; SARIF as the repository names the file."""
    (tmp_path / ".git").mkdir()
    shop = tmp_path / "shop"
    shop.mkdir()
    route = Route(method="GET", template="/{x}", target="/1", source="app", file="app/views.py", line=42)
    known = report(directory=shop, routes=(route,))
    page = io.StringIO()

    text.write(known, page)
    (location,) = run_of(sarif.render(known))["results"][0]["locations"]

    assert "   at app/views.py:42\n" in page.getvalue()
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "shop/app/views.py"
    assert location["physicalLocation"]["region"]["startLine"] == 42


def named(method: str, template: str, line: int, **more: Any) -> Route:
    """A route with a handler."""
    return Route(
        method=method, template=template, target=template, source="app", file="a.py", line=line, **more
    )


ROUTES = (
    named("GET", "/items/{id}", 1),
    named("GET", "/items/new", 2),
    named("POST", "/items/{id}", 3),
    Route(method="GET", template="/bare", target="/bare", source="crawl"),
    named("GET", "/a.b", 4),
    named("POST", "/cart", 5),
    named("GET", "/cart", 6),
)


@pytest.mark.parametrize(
    ("method", "target", "line"),
    [
        ("GET", "/items/7?x=1", 1),
        ("GET", "/items/new", 2),
        ("HEAD", "/items/7", 1),
        ("HEAD", "/cart", 6),
        ("POST", "/items/7", 3),
        ("TRACE", "/items/7", 1),
        ("GET", "/items/7/more", None),
        ("GET", "/bare", None),
        ("GET", "/a.b", 4),
        ("GET", "/aXb", None),
    ],
)
def test_the_handler_of_a_request_is_that_of_its_route(method: str, target: str, line: int | None) -> None:
    """The exact template wins, HEAD goes where GET does, and nothing is guessed for an unknown path."""
    place = handler(ROUTES, method, target)

    assert (place.line if place else None) == line


@pytest.mark.parametrize("form", ["json", "sarif", "text", "junit", "html", "markdown", "github", "gitlab"])
def test_what_a_login_consists_of_is_in_no_report(form: str) -> None:
    """The value of a header that was given for the audit, and the token in it, are hidden in every form."""
    token = "s3cr3t-t0ken-of-mine"
    sent = f"GET /a HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    assert FOUND.exchange is not None
    exchange = replace(
        FOUND.exchange,
        request=replace(FOUND.exchange.request, pieces=(sent,)),
        reply=replace(FOUND.exchange.reply, body=f"you said {token}".encode()),
    )
    echoed = replace(FOUND, message=f"echoes {token}", evidence=(f"x: {token}",), exchange=exchange)
    page = io.StringIO()

    headers = (("Authorization", f"Bearer {token}"),)
    write(report(results(E1=judged((echoed,))), headers=headers), form, page)

    assert token not in page.getvalue()
    assert "hidden" in page.getvalue()


def test_every_family_is_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many checks of each family ended in which way, above the verdict."""
    monkeypatch.setenv("COLUMNS", "80")
    page = io.StringIO()

    text.write(report(), page)

    lines = page.getvalue().splitlines()
    assert ["failed", "passed", "not", "run"] in [line.split() for line in lines]
    assert any(line.startswith("E Errors") and line.split()[-3:] == ["1", ".", "."] for line in lines)
    assert any(line.startswith("H ") and line.split()[-3:] == ["1", "1", "1"] for line in lines)
