"""What the second half of the demo prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.examples.shop.demo import changed, print_drill
from garrison_harness.drills.catalogue import DRILLS

if TYPE_CHECKING:
    import pytest


def audited(**statuses: str) -> dict[str, Any]:
    """A report with these checks."""
    return {"checks": [{"id": name, "status": status, "findings": []} for name, status in statuses.items()]}


def test_only_what_has_changed_is_shown() -> None:
    """A check that says the same before and after takes no line."""
    before = audited(H1="passed", H2="not run", H3="passed")
    after = audited(H1="passed", H2="passed", H3="not run")

    assert [check["id"] for check in changed(before, after)["checks"]] == ["H2", "H3"]


def test_each_expectation_of_a_drill_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With its verdict, in 80 columns."""
    points = [{"expectation": "errors tell nothing of the inside", "verdict": "broken"}]
    drills = [{"title": drill.title, "points": points} for drill in DRILLS]

    print_drill({"drills": drills})

    lines = capsys.readouterr().out.splitlines()
    assert lines.count("  broken   errors tell nothing of the inside") == len(DRILLS)
    assert f"Drill: {DRILLS[0].title}" in lines
    assert max(map(len, lines)) <= 80
