"""`garrison explain`, and the page of reference that it writes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from garrison_harness.__main__ import main
from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.family import FAMILIES, letter
from tests.harness.recordings import check_named

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"


def explain(*words: str) -> Result:
    """`garrison explain` with these words."""
    return CliRunner().invoke(main, ["explain", *words])


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of eighty columns."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_every_check_is_explained(check: object) -> None:
    """What it is about, why, how it is judged, how to fix it and where the rule comes from, in 80 columns."""
    found = check_named(check.id)  # type: ignore[attr-defined]
    done = explain(found.id.lower())

    squeezed = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    for text in (found.title, found.severity.word, found.why, found.how, found.fix, found.reference):
        assert " ".join(text.split()) in squeezed
    if found.cwe:
        assert f"CWE-{found.cwe}" in squeezed


def test_a_family_is_explained_check_by_check() -> None:
    """A letter stands for all of them, and several ids for each."""
    family = [check for check in CATALOGUE if letter(check.id) == "H"]
    done = explain("H")

    assert [line.split()[0] for line in done.stdout.splitlines() if re.match(r"H\d+ ", line)] == [
        check.id for check in family
    ]
    assert "H1 " in explain("E1,H1").stdout


def test_the_list_names_all_checks() -> None:
    """A line each with the severity, as with `garrison check --list`."""
    done = explain("--list")
    check = CliRunner().invoke(main, ["check", "--list"])

    assert done.stdout == check.stdout
    named = re.findall(r"^([A-Z]+\d+) +\S", done.stdout, re.MULTILINE)
    assert named == [found.id for found in CATALOGUE]
    assert explain("--list", "W").stdout.startswith("W1 ")


def test_programs_get_the_same_as_json() -> None:
    """All of them without an id, and the ones that are named with some."""
    every = json.loads(explain("--format", "json").stdout)
    (one,) = json.loads(explain("E1", "--format", "json").stdout)

    assert [found["id"] for found in every] == [check.id for check in CATALOGUE]
    assert one["fix"] == check_named("E1").fix
    assert one["family"] == "Errors"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "garrison: no check is named: give an id such as H1, a family such as H, or --list\n"),
        (("Q7",), "garrison: 'Q7' is no check: did you mean"),
        (("Q7",), "garrison explain --list names them all\n"),
        (("--nope",), "garrison: No such option '--nope'.\n"),
    ],
)
def test_what_is_no_check_is_said_in_one_line(words: tuple[str, ...], line: str) -> None:
    """With the nearest id, and where they are all named; status 2."""
    done = explain(*words)

    assert done.exit_code == 2
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_check_is_of_a_family_that_has_a_name() -> None:
    """Reports sum up by family."""
    assert {letter(check.id) for check in CATALOGUE} <= set(FAMILIES)


def test_the_reference_is_what_the_declarations_say() -> None:
    """Nobody edits the page, and nobody forgets to write it anew: `make reference`."""
    assert REFERENCE.read_text(encoding="utf-8") == explain("--format", "markdown").stdout


def test_the_reference_has_an_anchor_for_every_check() -> None:
    """The heading is the id and nothing else, so that reports can link to `checks.md#h1`."""
    text = explain("--format", "markdown").stdout

    assert re.findall(r"^### (.+)$", text, re.MULTILINE) == [check.id for check in CATALOGUE]
    links = re.findall(r"^\| \[(\w+)\]\(#(\w+)\) \|", text, re.MULTILINE)
    assert links == [(check.id, check.id.lower()) for check in CATALOGUE]


def test_no_line_of_the_reference_became_a_list_by_chance() -> None:
    """A dash or a number at the begin of a wrapped line would be an item of a list."""
    text = explain("--format", "markdown").stdout.partition("### ")[2]

    assert re.findall(r"^ *(?:[-+*>#]{1,2}|\d+[.)]) .*$", text, re.MULTILINE) == [
        line for line in text.splitlines() if line.startswith("## ")
    ]
    assert all(len(line) <= 110 for line in text.splitlines() if not line.startswith(("|", "**")))


def test_explaining_needs_no_toolkit_and_no_locust() -> None:
    """It starts fast, and works where only the harness is there."""
    script = (
        "import sys; from garrison_harness.__main__ import main;"
        "main(['explain', 'H1'], standalone_mode=False);"
        "print([name for name in ('garrison', 'locust', 'gevent') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
