"""What the comparison says of other packages is what they do, each in the version that is installed."""

from __future__ import annotations

import re
from typing import Final

import pytest

from docs.examples.peers.__main__ import HEAD, SUBJECTS, rows
from tests.integration.documents import DOCS

PAGE: Final = DOCS / "explanation" / "comparison.md"
MARKS: Final = re.compile(r"<!-- peers -->\n(.*)<!-- end of peers -->", re.DOTALL)


def shown() -> str:
    """The part of the page that the programs have written."""
    (text,) = MARKS.findall(PAGE.read_text(encoding="utf-8"))
    assert isinstance(text, str)
    return text


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """What the programs write now."""
    return dict(rows())


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_page_says_what_the_programs_found(found: dict[str, list[str]], subject: str) -> None:
    """Each line is one that a program has written: `python -m docs.examples.peers` writes them anew."""
    assert "\n".join([f"### {subject}", "", HEAD, *found[subject], ""]) in shown()


def test_the_page_says_nothing_else(found: dict[str, list[str]]) -> None:
    """No line is left of what is no longer compared."""
    lines = [line for line in shown().splitlines() if line.startswith("| ") and line not in HEAD]

    assert lines == [line for subject in SUBJECTS for line in found[subject]]


def test_in_each_line_the_two_differ(found: dict[str, list[str]]) -> None:
    """What both do alike is no comparison."""
    for line in (line for lines in found.values() for line in lines):
        *_, theirs, ours, _ = (cell.strip() for cell in line.split(" |"))
        assert theirs != ours, line
