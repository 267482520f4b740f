"""What the threat model says of layers, checks and standards is what the checks say of themselves."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from garrison import Settings
from garrison.sections import sections_of
from garrison_harness.checks.catalogue import CATALOGUE
from tests.integration.documents import DOCS

PAGE: Final = DOCS / "explanation" / "threat-model.md"
CHECKS: Final = {check.id: check for check in CATALOGUE}
VERSION: Final = re.compile(r"\bV\d+\.\d+\.\d+")
OWASP: Final = re.compile(r"API(?:[1-9]|10):2023|A(?:0[1-9]|10):2025")


class Row(NamedTuple):
    """A line of the first table.

    Attributes:
        tried: what an attacker does.
        layers: the sections that stand against it.
        checks: the ids of what shows it.
        references: of the standards.
    """

    tried: str
    layers: set[str]
    checks: list[str]
    references: list[str]


def stopped() -> list[Row]:
    """The lines of what is stopped."""
    text = PAGE.read_text(encoding="utf-8").partition("## What it stops")[2].partition("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| to ")]
    return [
        Row(tried, set(re.findall(r"`([A-Z_]+)`", layers)), checks.split(", "), references.split(", "))
        for tried, layers, checks, references in lines
    ]


def test_each_layer_and_each_check_is_one() -> None:
    """A name that does not exist is of no use to a reader."""
    sections = {name.upper() for name in sections_of(Settings)}

    assert stopped()
    for row in stopped():
        assert row.layers <= sections, row.tried
        assert set(row.checks) <= set(CHECKS), row.tried


def test_each_check_shows_a_layer_of_its_line() -> None:
    """Without the layer it would turn red: it names one of them among those that it depends on."""
    for row in stopped():
        for name in row.checks:
            assert set(CHECKS[name].layers) & row.layers, (row.tried, name)


def test_every_check_of_a_layer_is_on_the_page() -> None:
    """Whoever adds a check of a layer says here what it is against."""
    shown = {name for row in stopped() for name in row.checks}

    assert {check.id for check in CATALOGUE if check.layers} == shown


def test_the_requirements_of_the_standard_are_those_of_the_checks() -> None:
    """A line refers to what its checks refer to: no more, and no less."""
    for row in stopped():
        theirs = {found for name in row.checks for found in VERSION.findall(CHECKS[name].reference)}
        assert {found for found in row.references if VERSION.fullmatch(found)} == theirs, row.tried


def test_references_to_the_lists_exist() -> None:
    """Each is an entry of the list of its year, and no line goes without."""
    for row in stopped():
        lists = [found for found in row.references if not VERSION.fullmatch(found)]
        assert lists, row.tried
        assert all(OWASP.fullmatch(found) for found in lists), row.tried


def test_nothing_of_the_lists_is_passed_over() -> None:
    """Every risk is either among what is stopped, or among what is left to the app."""
    text = PAGE.read_text(encoding="utf-8")

    assert {f"API{number}:2023" for number in range(1, 11)} <= set(OWASP.findall(text))
    assert {f"A{number:02}:2025" for number in range(1, 11)} <= set(OWASP.findall(text))
