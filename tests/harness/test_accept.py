"""`garrison accept`, between two audits."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from garrison_harness.__main__ import main
from garrison_harness.finding import judged
from garrison_harness.report import json_report
from tests.harness.commands import APPS
from tests.harness.reports import FOUND, report, results

if TYPE_CHECKING:
    from pathlib import Path

WHY = ("--reason", "the proxy does it", "--owner", "platform")


def run(*words: str, stdin: str | None = None) -> Result:
    """A command of the harness."""
    return CliRunner().invoke(main, words, input=stdin)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a report in it, which is the working directory."""
    (tmp_path / "report.json").write_text(json_report.render(report()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries(folder: Path) -> list[dict[str, Any]]:
    """What the baseline holds."""
    found = tomllib.loads((folder / "garrison-baseline.toml").read_text(encoding="utf-8"))["accepted"]
    assert isinstance(found, list)
    return found


def test_what_fails_is_accepted_with_reason_owner_and_day(here: Path) -> None:
    """Without an id it is what made the audit fail, and nothing that did not; for 90 days unless told."""
    done = run("accept", "report.json", *WHY)

    (entry,) = entries(here)
    ninety = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=90)
    assert done.exit_code == 0
    assert done.stdout == f"1 finding accepted until {ninety} in garrison-baseline.toml\n"
    assert entry == {
        "check": "E1",
        "where": "GET /a",
        "message": "anyone may look in",
        "reason": "the proxy does it",
        "owner": "platform",
        "expires": ninety,
    }


def test_a_check_that_is_named_is_accepted_whole(here: Path) -> None:
    """With an id, or a family, all that it found is taken, whatever its severity; from stdin too."""
    text = (here / "report.json").read_text(encoding="utf-8")
    done = run("accept", "-", "H", *WHY, "--until", "2999-01-01", stdin=text)

    assert done.exit_code == 0
    assert [(entry["check"], entry["expires"].year) for entry in entries(here)] == [("H2", 2999)] * 2


def test_like_findings_are_one_entry(here: Path) -> None:
    """What is found twice in the same words is accepted once, and counted so."""
    text = json_report.render(report(results(E1=judged((FOUND, FOUND)))))
    done = run("accept", "-", *WHY, stdin=text)

    assert done.stdout.startswith("1 finding accepted")
    assert len(entries(here)) == 1


def test_findings_that_differ_by_a_measure_are_one_entry(here: Path) -> None:
    """Two entries for what one takes would be reported as too many by the next audit."""
    timed = tuple(replace(FOUND, message=f"busy for {seconds} s") for seconds in (1, 2))
    done = run("accept", "-", *WHY, stdin=json_report.render(report(results(E1=judged(timed)))))

    assert done.stdout.startswith("1 finding accepted")
    assert len(entries(here)) == 1


def test_what_is_accepted_again_has_the_new_reason_and_day(here: Path) -> None:
    """Accepting is how an entry that expired gets longer, and it leaves one entry."""
    run("accept", "report.json", *WHY, "--until", "2998-01-01")
    run("accept", "report.json", "--reason", "not yet", "--owner", "shop", "--until", "2999-01-01")

    (entry,) = entries(here)
    assert (entry["reason"], entry["owner"], entry["expires"].year) == ("not yet", "shop", 2999)


FINDING = {"message": "m", "failing": True, "location": {"method": "GET", "target": "/"}}


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"checks": [{"id": "E1", "findings": [{**FINDING, "location": {}}]}]}, None),
        ({"checks": [{"id": "E1", "findings": [{**FINDING, "location": None}]}]}, None),
        ({"checks": [{"id": "E1", "findings": [{**FINDING, "message": ""}]}]}, None),
        ({"checks": [{"id": "E1", "findings": [{**FINDING, "message": 1}]}]}, None),
        ({"checks": [{"id": "E1", "findings": [{"message": "m"}]}]}, None),
        ({"checks": [{"id": ["E1"], "findings": [FINDING]}]}, None),
        ({"checks": [{"findings": [FINDING]}]}, None),
        ({"checks": ["E1"]}, None),
        ({"checks": None}, None),
        ({"runs": []}, None),
        (None, None),
        (
            {"checks": [{"id": "Z9", "findings": [FINDING]}]},
            "the report has findings of 'Z9', a check that this",
        ),
    ],
)
def test_json_of_another_form_is_refused_in_one_line(here: Path, document: object, line: str | None) -> None:
    """Whatever another tool wrote ends with 2, named with or without ids, and nothing is written."""
    for ids in ((), ("E",)):
        done = run("accept", "-", *ids, *WHY, stdin=json.dumps(document))

        assert done.exit_code == 2
        assert done.stderr.startswith(f"garrison: {line or '- is no report of garrison check --format json'}")
        assert done.stderr.count("\n") == 1
    assert not (here / "garrison-baseline.toml").exists()


def test_a_reason_that_is_no_text_costs_no_entry(here: Path) -> None:
    """A word in another encoding is refused in one line, and the file stays whole."""
    run("accept", "report.json", *WHY)
    before = (here / "garrison-baseline.toml").read_bytes()
    done = run("accept", "report.json", "H", "--reason", "caf\udce9", "--owner", "me")

    assert done.exit_code == 2
    assert (
        done.stderr
        == r"garrison: cannot write garrison-baseline.toml: '\udce9' in an entry is no text" + "\n"
    )
    assert (here / "garrison-baseline.toml").read_bytes() == before


def test_nothing_is_added_to_a_file_that_is_broken(here: Path) -> None:
    """Whoever broke it learns of it now, and not in the next audit."""
    (here / "garrison-baseline.toml").write_text("[[accepted]]\n", encoding="utf-8")
    done = run("accept", "report.json", *WHY)

    assert done.exit_code == 2
    assert "garrison-baseline.toml:1: this entry says no check" in done.stderr
    assert (here / "garrison-baseline.toml").read_text(encoding="utf-8") == "[[accepted]]\n"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("report.json", *WHY[:2]), "Missing option '--owner'."),
        (("report.json", "--reason", " ", "--owner", "me"), "--reason and --owner cannot be empty"),
        (("report.json", *WHY, "--until", "2020-01-01"), "--until 2020-01-01 is over already"),
        (("report.json", "H9", *WHY), "report.json holds no finding of these checks to accept"),
        (("report.json", "H77", *WHY), "'H77' is no check: did you mean"),
        (("none.json", *WHY), "none.json cannot be read: No such file or directory"),
        (("text.json", *WHY), "text.json is no report of garrison check --format json"),
        (("report.json", *WHY, "--baseline", "no/such.toml"), "cannot write no/such.toml: No such file"),
    ],
)
def test_what_cannot_be_accepted_is_said_in_one_line(here: Path, words: tuple[str, ...], line: str) -> None:
    """Usage faults end with 2, and nothing is written."""
    (here / "text.json").write_text("[1]", encoding="utf-8")
    done = run("accept", *words)

    assert done.exit_code == 2
    assert done.stderr.startswith("garrison: ")
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (here / "garrison-baseline.toml").exists()


def test_a_build_is_green_once_its_findings_are_accepted(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit, accept, audit: the second one passes, and without the baseline it fails again."""
    monkeypatch.syspath_prepend(APPS)
    check = ("check", "--in-process", "--select", "H1,H2,H9", "bad_app:app")
    before = run(*check, "--format", "json", "--output", "found.json")
    accepted = run("accept", "found.json", *WHY)
    after = run(*check, "--format", "json")
    without = run(*check, "--baseline", "off")

    document = json.loads(after.stdout)
    assert (before.exit_code, accepted.exit_code, after.exit_code, without.exit_code) == (1, 0, 0, 1)
    assert [found["status"] for found in document["checks"]] == ["accepted", "accepted", "failed"]


def test_a_baseline_that_is_named_and_missing_is_a_fault(here: Path) -> None:
    """A typing error in the path does not pass for an empty baseline."""
    done = run("check", "--baseline", "none.toml", "bad_app:app")

    assert done.exit_code == 2
    assert "the baseline none.toml cannot be read: No such file or directory" in done.stderr
