"""What the demo prints under its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docs.examples.datasette.demo import print_unproven

if TYPE_CHECKING:
    import pytest


def audited(**statuses: str) -> dict[str, Any]:
    """A report with these checks."""
    reason = "no request made the app raise, so there was nothing to see: name a route that raises"
    return {"checks": [{"id": name, "status": status, "reason": reason} for name, status in statuses.items()]}


def test_a_check_that_is_no_longer_judged_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """What passed bare and is not run hardened looks like a loss, so the demo says why, in 80 columns."""
    before = audited(E1="passed", E5="not run", H1="failed", T1="passed")
    after = audited(E1="not run", E5="not run", H1="passed", T1="passed")

    print_unproven(before, after)

    blank, first, *rest = capsys.readouterr().out.splitlines()
    assert blank == ""
    assert first.startswith("E1 is not run after: no request made the app raise")
    assert len(rest) == 1
    assert max(len(first), len(rest[0])) <= 80


def test_a_table_without_losses_has_nothing_under_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Where every check that passed is still judged, there is nothing to explain."""
    print_unproven(audited(E1="passed"), audited(E1="passed"))

    assert capsys.readouterr().out == ""
