"""The page that is written from the docstrings stays a page, whatever is in them."""

from __future__ import annotations

import re

import pytest

from garrison import reference


@pytest.mark.parametrize("mark", ["-", "+", "*", "#", ">", "1.", "2)"])
def test_no_line_begins_a_list_by_chance(mark: str) -> None:
    """A word that Markdown takes for a list or a heading never comes first in a wrapped line."""
    for words in range(40):
        text = f"{'letters ' * words}{mark} {'more ' * 40}"
        assert not any(line.startswith(f"{mark} ") for line in reference.wrapped(text).split("\n")[1:])


def test_a_long_list_can_be_read() -> None:
    """A default of many names breaks into lines like a text, and none of them is cut."""
    (line,) = re.findall(r"Default:\s(`x?server,[^`]+`)", reference.document())
    assert "x-powered-by, x-powered-by-plesk," in " ".join(line.split())
    assert max(map(len, reference.document().split("\n"))) <= 110


def test_a_function_is_shown_as_it_is_called() -> None:
    """What handlers call is there with its parameters, what they are for, and what is raised."""
    chapter = reference.document().partition("### set_policy\n")[2].partition("\n### ")[0]
    assert "    preset: Preset | None = None,\n" in chapter
    assert "- `preset`: whose policy a page gets." in chapter
    assert "Raises:\n\n- `ValueError`: " in chapter
