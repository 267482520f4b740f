"""Accepted findings: read, matched, hidden, expired, gone stale."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest

from garrison_harness.baseline import Baseline, Entry, applied, read_baseline
from garrison_harness.baseline_file import write_entries
from garrison_harness.finding import judged, not_run
from garrison_harness.report.forms import FORMS, write
from garrison_harness.steady import steady_message, steady_request
from garrison_harness.target import UsageFault
from tests.harness.reports import FOUND, HINT, LIKELY, TODAY, one_of_each, outcome_of, report, results

if TYPE_CHECKING:
    from garrison_harness.report.report import Report

ENTRY = Entry(
    check="E1",
    where="GET /a",
    message="anyone may look in",
    reason="the proxy shuts the door",
    owner="platform team",
    expires=date(2026, 1, 2),
)
PATH = Path("garrison-baseline.toml")


def baseline_of(*entries: Entry) -> Baseline:
    """A baseline with these entries, as they would stand in a file."""
    return Baseline(path=PATH, entries=tuple(replace(one, line=3 + 8 * n) for n, one in enumerate(entries)))


def rendered(form: str, made: Report) -> str:
    """A report in one form."""
    page = io.StringIO()
    write(made, form, page)
    return page.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_an_accepted_finding_is_hidden_in_every_form(form: str) -> None:
    """Nobody who reads any of the reports has to wade through what was accepted."""
    assert FOUND.message in rendered(form, report())
    assert FOUND.message not in rendered(form, report(baseline=baseline_of(ENTRY)))


def test_only_new_findings_fail() -> None:
    """The audit passes with what is accepted, and fails with the same check's next finding."""
    new = replace(FOUND, message="and another window is open")
    found = results(E1=judged((FOUND, new)))

    assert report(baseline=baseline_of(ENTRY)).exit_status == 0
    assert report(found, baseline=baseline_of(ENTRY)).exit_status == 1


def test_a_check_that_is_accepted_is_not_passed() -> None:
    """It has a status of its own, it is skipped with the reason in JUnit, and is counted apart."""
    made = report(baseline=baseline_of(ENTRY))
    suites = fromstring(rendered("junit", made))  # noqa: S314 - our own
    document = json.loads(rendered("json", made))

    assert document["checks"][0]["status"] == "accepted"
    assert document["summary"]["accepted"] == document["baseline"]["accepted"] == 1
    assert suites.findtext(".//skipped", "") == (
        "accepted until 2026-01-02: the proxy shuts the door (platform team)"
    )
    assert "OKAY  E1" in rendered("text", made)


@pytest.mark.parametrize("form", FORMS)
def test_an_entry_counts_through_its_last_day(form: str) -> None:
    """The day after, the finding is back, and every report says whom to ask."""
    over = baseline_of(replace(ENTRY, expires=date(2026, 1, 1)))
    made = report(baseline=over)

    assert made.exit_status == 1
    assert FOUND.message in rendered(form, made)
    squeezed = " ".join(rendered(form, made).split())
    assert "platform team" in squeezed
    assert "2026-01-01" in squeezed


@pytest.mark.parametrize("form", FORMS)
def test_an_entry_that_takes_nothing_is_reported(form: str) -> None:
    """What was mended should leave the file; what was not judged says nothing, and stays."""
    mended, unjudged = replace(ENTRY, check="H9"), replace(ENTRY, check="H4")
    made = report(baseline=baseline_of(mended, unjudged))

    assert made.baseline is not None
    assert [entry.check for entry in made.baseline.stale] == ["H9"]
    if form == "json":
        assert json.loads(rendered(form, made))["baseline"]["stale"][0]["line"] == 3
    else:
        squeezed = " ".join(rendered(form, made).replace("\\", "").split())
        assert "H9 GET /a is not found any more" in squeezed


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"message": ""}, True),
        ({"where": ""}, True),
        ({"where": "GET /b"}, False),
        ({"where": "POST /a"}, False),
        ({"message": "something else"}, False),
        ({"check": "E2"}, False),
    ],
)
def test_an_entry_takes_what_it_names(change: dict[str, str], taken: bool) -> None:
    """Check, request and message must be those, as far as they are given."""
    assert replace(ENTRY, **change).takes("E1", FOUND) is taken  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("GET /garrison-0a1b2c3d4e5f", "GET /garrison-ffffffffffff", True),
        ("GET /garrison-0a1b2c3d4e5fgarrison-0a1...", "GET /garrison-ffffffffffffgarrison-fff...", True),
        ("GET /1f0e5c5a-6a0b-4c1e-9d2f-0a1b2c3d4e5f", "GET /11111111-2222-3333-4444-555555555555", True),
        ("GET /t/4bf92f3577b34da6", "GET /t/00F067AA0BA902B7", True),
        ("GET http://127.0.0.1:4242/admin", "GET http://127.30.1.2:80/admin", True),
        ("GET http://shop.example:4242/", "GET http://shop.example:80/", True),
        ("OPTIONS localhost:4242", "OPTIONS localhost:80", True),
        ("GET /v1/search", "GET /v2/search", False),
        ("GET /orders/1", "GET /orders/2", False),
        ("GET /orders?t=1", "GET /orders?t=2", False),
        ("GET /at/12345678", "GET /at/87654321", False),
        ("GET /facade-decaffed", "GET /facade-effaced0", False),
        ("GET /items:10", "GET /items:20", False),
        ("GET /garrison-1", "GET /garrison-2", False),
        ("GET /a", "GET /b", False),
    ],
)
def test_a_request_is_the_same_but_for_what_is_made_up(one: str, other: str, same: bool) -> None:
    """Canaries, ids, addresses and ports are others each time; a digit of a path tells routes apart."""
    assert (steady_request(one) == steady_request(other)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("busy for 1.2 s", "busy for 11 s", True),
        ("after all 10000179 bytes were taken", "after all 10000178 bytes were taken", True),
        ("the app 12 MB larger", "the app 230 MB larger", True),
        ("9 of 21 requests at once pass a quota of 5", "10 of 26 requests at once pass a quota of 5", True),
        ("RateLimit leaves 5 of the 3", "RateLimit leaves 4 of the 3", True),
        (
            "HEAD and GET differ in content-length: 0 and 57",
            "HEAD and GET differ in content-length: 9 and 1",
            True,
        ),
        (
            "an older draft: limit=10, remaining=9, reset=3",
            "an older draft: limit=10, remaining=8, reset=2",
            True,
        ),
        ("garrison-0a1b2c3d4e5f is sent back", "garrison-ffffffffffff is sent back", True),
        ("pass a quota of 5", "pass a quota of 6", False),
        ("an older draft: limit=10", "an older draft: limit=20", False),
        ("the query of /v1/search holds", "the query of /v2/search holds", False),
        ("the query of /10 s holds", "the query of /20 s holds", False),
        ("GET /a?t=1 is answered", "GET /a?t=2 is answered", False),
        ("answered with 404", "answered with 500", False),
        ("TLSv1.0 is served", "TLSv1.1 is served", False),
    ],
)
def test_a_message_is_the_same_but_for_what_was_measured(one: str, other: str, same: bool) -> None:
    """Times, sizes and counts are others each time; statuses, versions and declared limits are not."""
    assert (steady_message(one) == steady_message(other)) is same


def test_the_same_hole_in_another_version_of_a_route_is_new() -> None:
    """Who accepted it in /v1/search has not accepted it in /v2/search."""
    holes = {
        version: replace(
            FOUND,
            message=f"what the query of /{version}/search holds becomes an element of the page",
            location=replace(FOUND.location, target=f"/{version}/search?q=garrison-0a1b2c3d4e5f"),
        )
        for version in ("v1", "v2")
    }
    for field in ("message", "where"):
        entry = replace(ENTRY, message="", where="")
        texts = {"message": holes["v1"].message, "where": "GET /v1/search?q=garrison-ffffffffffff"}
        entry = replace(entry, **{field: texts[field]})  # type: ignore[arg-type]
        outcome, _ = applied(baseline_of(entry), outcome_of(results(E1=judged(tuple(holes.values())))), TODAY)

        assert outcome.results[0].verdict.findings == (holes["v2"],)


def test_mere_information_stays_beside_what_is_accepted() -> None:
    """A check whose faults are accepted keeps its hints."""
    found = results(E1=judged((FOUND, HINT)))
    outcome, done = applied(baseline_of(ENTRY), outcome_of(found), TODAY)

    assert outcome.results[0].verdict.status == "accepted"
    assert outcome.results[0].verdict.findings == (HINT,)
    assert done.hidden == 1


def test_one_entry_takes_like_findings() -> None:
    """What differs by a number only is the same thing."""
    twins = judged((LIKELY, replace(LIKELY, message="perhaps 23 bytes too many")))
    entry = replace(ENTRY, check="H2", message=LIKELY.message)
    outcome, done = applied(baseline_of(entry), outcome_of(results(H2=twins, H1=not_run("x"))), TODAY)

    assert [result.verdict.status for result in outcome.results] == ["accepted", "not run"]
    assert done.accepted == ((replace(entry, line=3), 2),)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """Entries keep whatever their texts hold, and what was in the file before stays as it was."""
    path = tmp_path / "baseline.toml"
    odd = replace(ENTRY, reason='quotes " and \\ and é\n\tand more', where="")

    write_entries(path, [ENTRY])
    path.write_text(path.read_text(encoding="utf-8") + "# a remark", encoding="utf-8")
    write_entries(path, [odd])

    read = read_baseline(path)
    text = path.read_text(encoding="utf-8")
    assert [replace(entry, line=1) for entry in read.entries] == [ENTRY, odd]
    assert [text.splitlines()[entry.line - 1] for entry in read.entries] == ["[[accepted]]"] * 2
    assert "# a remark\n" in text


def test_an_entry_that_expired_is_no_debt_once_it_is_mended() -> None:
    """It is to be removed, and its owner is not bothered; where the check was not judged nothing is said."""
    over = replace(ENTRY, expires=date(2026, 1, 1))
    for found, stale in ((judged(()), 1), (not_run("no page"), 0)):
        _, done = applied(baseline_of(over), outcome_of(results(E1=found)), TODAY)

        assert (done.expired, len(done.stale)) == ((), stale)
        assert all("E1 GET /a is not found any more: remove the entry" in note for note in done.notes())


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 1, 3)])
@pytest.mark.parametrize("later", [True, False])
def test_an_entry_that_another_one_makes_superfluous_says_so(day: date, later: bool) -> None:
    """What is accepted twice, or again after it expired, is found, and names the entry that counts."""
    both = (replace(ENTRY, expires=day), replace(ENTRY, message="", expires=date(2026, 1, 4)))
    _, done = applied(baseline_of(*(both if later else both[::-1])), outcome_of(one_of_each()), TODAY)

    (note,) = done.notes()
    first_counts = not later or day > TODAY
    line, other = (11, 3) if first_counts else (3, 11)
    assert note == f"{PATH}:{line}: E1 GET /a is accepted by line {other} already: remove the entry"
    assert (done.hidden, done.expired) == (1, ())


def test_what_is_accepted_again_takes_the_place_of_its_entry(tmp_path: Path) -> None:
    """With the new reason, owner and day, once; remarks and the other entries stay where they are."""
    path = tmp_path / "baseline.toml"
    timed = replace(ENTRY, message="busy for 1.2 s")
    write_entries(path, [timed, replace(ENTRY, check="E2"), replace(ENTRY, check="E3")])
    doubled = path.read_text(encoding="utf-8").replace('"E3"', '"E1"').replace(ENTRY.message, "busy for 3 s")
    doubled = doubled.replace('check = "E2"', '# of the shop\n\ncheck = "E2"').replace(
        "\n\n[[", "\n# next\n\n[["
    )
    path.write_bytes((doubled + "# the end").replace("\n", "\r\n").encode())
    path.chmod(0o640)

    again = replace(ENTRY, message="busy for 7 s", reason="still so", expires=date(2027, 1, 1))
    write_entries(path, [again])

    read = read_baseline(path)
    text = path.read_bytes().decode()
    assert [(entry.check, entry.reason) for entry in read.entries] == [
        ("E1", "still so"),
        ("E2", ENTRY.reason),
    ]
    assert replace(read.entries[0], line=1) == again
    assert [text.count(remark) for remark in ("# next\r\n", "# of the shop", "# the end")] == [3, 1, 1]
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["baseline.toml"]


@pytest.mark.parametrize(
    "odd", ["a\x7fb", "\x00\x1f", "\u2028 \x85 \r\n", "[[accepted]]\n[[accepted]]", "\U0001f512"]
)
def test_whatever_a_reason_holds_can_be_read_again(odd: str, tmp_path: Path) -> None:
    """TOML has other letters escaped than JSON, and a line that looks like an entry is none."""
    path = tmp_path / "baseline.toml"
    entries = [replace(ENTRY, reason=f"because {odd}"), replace(ENTRY, check="E2")]
    for entry in entries:
        write_entries(path, [entry])

    assert [replace(entry, line=1) for entry in read_baseline(path).entries] == entries


INLINE = 'accepted = [{ check = "E2", reason = "r", owner = "o", expires = 2027-01-01 }]\n'
IN_TEXT = '[[accepted]]\nexpires = 2027-01-01\nreason = """\n[[accepted]]\n"""\nowner = "o"\ncheck = "E1"\n'


@pytest.mark.parametrize(
    ("content", "entry", "line"),
    [
        (
            "# kept\n",
            replace(ENTRY, reason="caf\udce9"),
            r"cannot write b.toml: '\udce9' in an entry is no text",
        ),
        (
            "# kept\n",
            replace(ENTRY, check="E77"),
            "add to it by hand: b.toml:3: 'E77' is no check",
        ),
        (INLINE, ENTRY, "cannot add to b.toml: write each of its entries as an [[accepted]]"),
        (
            IN_TEXT + '[[accepted]]\nexpires = 2027-01-01\nreason = "r"\nowner = "o"\ncheck = "E2"\n',
            replace(ENTRY, check="E2", where="", message=""),
            "cannot add to b.toml: write each",
        ),
    ],
)
def test_a_file_stays_as_it_is_where_it_would_be_broken(
    content: str, entry: Entry, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was accepted before is never lost to what cannot be written."""
    monkeypatch.chdir(tmp_path)
    Path("b.toml").write_text(content, encoding="utf-8")
    with pytest.raises(UsageFault) as raised:
        write_entries(Path("b.toml"), [entry])

    assert line in str(raised.value)
    assert Path("b.toml").read_text(encoding="utf-8") == content
    assert [one.name for one in tmp_path.iterdir()] == ["b.toml"]


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path: Path) -> None:
    """The file that is linked to is written; what is no file is neither waited for nor replaced by one."""
    link, pipe = tmp_path / "link.toml", tmp_path / "pipe"
    link.symlink_to(tmp_path / "real.toml")
    write_entries(link, [ENTRY])
    assert link.is_symlink()
    assert len(read_baseline(tmp_path / "real.toml").entries) == 1

    os.mkfifo(pipe)
    with pytest.raises(UsageFault, match=r"cannot write .*: it is no file"):
        write_entries(pipe, [ENTRY])
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[[accepted]\n", "the baseline b.toml is no TOML: Expected ']]'"),
        ("[accepted]\nx = 1\n", "the baseline b.toml holds [[accepted]] tables and nothing else"),
        ("[[acepted]]\n", "nothing else, and not acepted"),
        ('\n[[accepted]]\ncheck = "E1"\n', "b.toml:2: this entry says no reason: each needs check, reason"),
        ("[[accepted]]\nwho = 1\n", "b.toml:1: this entry says no check"),
        ('{F}\nwho = "me"\n', "b.toml:1: who is no field: there are check, reason, owner, expires, where"),
        ('{F}\nwhere = ""\n', "b.toml:1: where is a text and not empty, and here it is ''"),
        ("{Q}", "b.toml:1: expires is a day such as 2027-03-31 without quotes, not '2027-01-01'"),
        ("{U}", "b.toml:1: 'E77' is no check: did you mean"),
        ("{M}", "b.toml:1: 'E' is a family of 6 checks, and an entry is about one check, such as E1"),
    ],
)
def test_a_fault_of_the_file_is_one_line_with_its_place(
    content: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has to mend it learns where, what was expected and what was found."""
    full = '[[accepted]]\ncheck = "E1"\nreason = "r"\nowner = "o"\nexpires = 2027-01-01\n'
    made = {
        "{F}": full,
        "{Q}": full.replace("2027-01-01", '"2027-01-01"'),
        "{U}": full.replace("E1", "E77"),
        "{M}": full.replace("E1", "E"),
    }
    for mark, text in made.items():
        content = content.replace(mark, text)
    monkeypatch.chdir(tmp_path)
    Path("b.toml").write_text(content, encoding="utf-8")

    with pytest.raises(UsageFault) as raised:
        read_baseline(Path("b.toml"))

    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_outcome_without_accepted_findings_is_left_alone() -> None:
    """An empty file changes nothing."""
    outcome = outcome_of(one_of_each())

    assert applied(baseline_of(), outcome, TODAY)[0] == outcome
