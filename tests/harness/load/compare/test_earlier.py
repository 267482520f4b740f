"""The report of an earlier run is read, or refused with one line that says why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.compare.against import Loaded, compare
from garrison_harness.load.compare.earlier import Earlier, read_earlier
from garrison_harness.load.generator import Outcome
from garrison_harness.load.health import Health
from garrison_harness.load.record import SCHEMA_VERSION
from garrison_harness.load.result import Result
from garrison_harness.target import UsageFault, parse_target
from tests.harness.load import recorded
from tests.harness.load.compare.recorded import part
from tests.harness.load.recorded import OPEN

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan

CLOSED = replace(recorded.CLOSED, duration=5.0)
PARTS = tuple(part([0.010 + 0.0001 * step] * 100, cpu=0.05) for step in (-2, -1, 0, 1, 2))


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The JSON report of a run of five seconds."""
    result = Result(
        target=parse_target(["http://127.0.0.1:8000"]),
        started=datetime(2026, 1, 2, tzinfo=UTC),
        plan=CLOSED,
        outcome=Outcome(how="finished", account=Account()),
        judgements=(),
        health=Health(ceiling=5000.0),
        slices=PARTS,
    )
    path = tmp_path / "earlier.json"
    path.write_text(result.to_json(), encoding="utf-8")
    return path


def test_report_is_read_as_it_was_written(report: Path) -> None:
    """All parts of the run come back, and what the generator reached then."""
    assert read_earlier(report, CLOSED) == Earlier(
        path=report, parts=PARTS, ceiling=5000.0, requests=(), watched=False
    )


def test_how_long_a_run_took_may_differ(report: Path) -> None:
    """A longer run of the same load is held against a shorter one."""
    assert read_earlier(report, replace(CLOSED, duration=60.0)).parts == PARTS


def test_runs_that_are_too_short_are_told_before_another_is_made(report: Path) -> None:
    """Where fewer than five parts could be compared, the line says which run was too short."""
    with pytest.raises(UsageFault, match=r"--duration is 4\.9s: give at least --duration 5s"):
        read_earlier(report, replace(CLOSED, duration=4.9))
    changed(report, slices=[part.to_record() for part in PARTS[:4]])
    with pytest.raises(UsageFault, match=r"of a run of 4 parts .* make the earlier run anew with at least"):
        read_earlier(report, CLOSED)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (OPEN, 'model was "closed" then, and is "open" now'),
        (replace(CLOSED, users=4), "users was 3 then, and is 4 now"),
        (replace(CLOSED, paths=("/x",)), 'paths was ["/"] then, and is ["/x"] now'),
        (replace(CLOSED, expected=(404,)), "expected was [] then, and is [404] now"),
        (replace(CLOSED, profile="ramp"), 'profile was null then, and is "ramp" now'),
        (replace(CLOSED, mix=(("api", "", 1),)), 'mix was [] then, and is [["api", "", 1]] now'),
        (replace(CLOSED, one_address=True), "one_address was false then, and is true now"),
    ],
)
def test_report_of_another_plan_is_refused(report: Path, plan: Plan, words: str) -> None:
    """Apples are not held against pears: the line says what differs."""
    with pytest.raises(UsageFault) as caught:
        read_earlier(report, plan)
    assert str(report) in str(caught.value)
    assert words in str(caught.value)


def changed(report: Path, *without: str, **fields: Any) -> None:
    """Write some fields of the report anew, and leave some out."""
    record = json.loads(report.read_text(encoding="utf-8")) | fields
    kept = {name: value for name, value in record.items() if name not in without}
    report.write_text(json.dumps(kept), encoding="utf-8")


def test_report_of_a_newer_garrison_is_refused(report: Path) -> None:
    """Its figures may mean something else by then."""
    changed(report, schema_version=SCHEMA_VERSION + 1)
    with pytest.raises(UsageFault, match=f"newer garrison .schema version {SCHEMA_VERSION + 1}"):
        read_earlier(report, CLOSED)


def test_report_without_parts_is_refused(report: Path) -> None:
    """One of before there were any says so."""
    changed(report, "slices")
    with pytest.raises(UsageFault, match="older garrison: make the earlier run anew"):
        read_earlier(report, CLOSED)


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "{}", '{"schema_version": "2"}', '{"schema_version": 2, "plan": []}', "\x00\xff"],
)
def test_what_is_no_report_is_refused(report: Path, text: str) -> None:
    """Whatever else the file holds, it is one line."""
    report.write_text(text, encoding="utf-8")
    with pytest.raises(UsageFault, match="is no report of garrison load"):
        read_earlier(report, CLOSED)


@pytest.mark.parametrize(
    "slices",
    [[1], [{}], [{"duration": 1}], "x", {"a": 1}, [None], [PARTS[0].to_record() | {"requests": "many"}]],
)
def test_report_whose_parts_are_none_is_refused(report: Path, slices: Any) -> None:
    """A file that was edited by hand gives no traceback."""
    changed(report, slices=slices)
    with pytest.raises(UsageFault, match="is no report of garrison load"):
        read_earlier(report, CLOSED)


def test_report_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A wrong path says what the option takes, and so does a directory."""
    for path, reason in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageFault, match=f"{reason}.*give bare, or the path of a report"):
            read_earlier(path, CLOSED)


def held_against(ceiling: float | None, now: float | None, *, watched: bool = False) -> tuple[str, ...]:
    """Why a run concludes nothing of one, with what the generator reached in either."""
    against = Earlier(path=Path("main.json"), parts=PARTS, ceiling=ceiling, watched=watched)
    loaded = Loaded(outcome=Outcome(how="finished", account=Account()), slices=PARTS)
    found = compare(against, loaded, CLOSED, Health(ceiling=now))
    assert found is not None
    assert (found.interleaved, found.baseline) == (False, "main.json")
    return found.reasons


def test_machine_that_changed_makes_a_comparison_inconclusive() -> None:
    """Up to a tenth is luck; beyond that, the machine is not the one it was."""
    assert held_against(5000, 5490) == held_against(5000, 4510) == ()
    (faster,), (slower,) = held_against(5000, 5600), held_against(5000, 4000)
    assert "reaches 5,600 requests/s now, 12% more than the 5,000 of then" in faster
    assert "reaches 4,000 requests/s now, 20% less than the 5,000 of then" in slower


def test_run_that_was_not_calibrated_makes_a_comparison_inconclusive() -> None:
    """Nobody can tell whether the machine is the same."""
    (now,), (then,) = held_against(5000, None), held_against(None, 5000)
    assert now.startswith("this run was not calibrated")
    assert then.startswith("the earlier run was not calibrated")


def test_run_that_was_watched_is_not_held_against_one_that_was_not() -> None:
    """Watching asks the target for more, which would count as the CPU of the requests."""
    (reason,) = held_against(5000, 5000, watched=True)
    assert reason.startswith("the target was watched in the earlier run: --no-watch belongs to both")


def test_run_of_other_requests_concludes_nothing(report: Path) -> None:
    """What an OpenAPI document asks for is known once the target is up, and may have changed since."""
    spec = {"method": "GET", "name": "/items"}
    changed(report, plan=json.loads(report.read_text())["plan"] | {"requests": ["GET /items", "GET /old"]})
    against = read_earlier(report, CLOSED)
    assert against.doubt(replace(CLOSED, requests=(spec, {"method": "GET", "name": "/old"})), 5000.0) is None
    reason = against.doubt(replace(CLOSED, requests=(spec,)), 5000.0)
    assert reason == "the requests are not those of the earlier run: only one of the two has GET /old"
