"""The catalogue as a whole, and how checks are chosen from it."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.site import Quota
from tests.harness.recordings import SITE

if TYPE_CHECKING:
    from garrison_harness.checks.check import Check

# The sections that people can name in a setting.
SECTIONS = {
    *(
        "HEALTH",
        "PROXY",
        "REQUEST_ID",
        "TRACING",
        "ACCESS_LOG",
        "SECURITY_HEADERS",
        "COOKIES",
        "ERRORS",
        "HOSTS",
    ),
    *("CROSS_ORIGIN", "OVERLOAD", "RATE_LIMIT", "TIMEOUTS", "REQUEST_LIMITS", "CONTRACT"),
    *("EXPOSURE", "CSP_REPORTS", "SERVER"),
}


def ids(*select: str, ignore: tuple[str, ...] = ()) -> list[str]:
    """The ids that are chosen."""
    return [check.id for check in choose(select, ignore)]


def test_ids_and_titles_are_unique() -> None:
    """A check can be selected, ignored and looked up by its id."""
    assert (
        len({check.id for check in CATALOGUE}) == len({check.title for check in CATALOGUE}) == len(CATALOGUE)
    )


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_a_check_says_what_to_do_about_it(check: Check) -> None:
    """Each has a fix and a reference; its layers and variables exist by their fixed names."""
    assert check.fix
    assert check.reference
    assert set(check.layers) <= SECTIONS
    for variable in re.findall(r"GARRISON_([A-Z_]+)", check.garrison):
        assert any(variable == section or variable.startswith(f"{section}_") for section in SECTIONS)


LISTS = [check for check in CATALOGUE if check.ask is not None]


@pytest.mark.parametrize("check", LISTS, ids=lambda check: str(check.id))
def test_a_check_asks_the_same_thing_twice(check: Check) -> None:
    """What is asked depends on the site alone, so that an audit can be repeated."""
    assert check.ask is not None
    assert check.ask(SITE) == check.ask(SITE)
    assert all(isinstance(request.pieces[0], bytes) for request in check.ask(SITE).values())


def test_everything_is_chosen_unless_told_otherwise() -> None:
    """No selection means all, in the order of the catalogue."""
    assert ids() == [check.id for check in CATALOGUE]
    assert ids("T1", "h1", "W") == ["H1", "T1", "W1", "W2"]
    assert "H1" not in ids(ignore=("H",))
    assert ids("H1", "H2", ignore=("H2",)) == ["H1"]


def test_an_id_says_more_than_the_letter_of_a_family() -> None:
    """So that a family can be left out but for one, and taken but for one, as people know it from ruff."""
    assert ids("H1", ignore=("h",)) == ["H1"]
    assert ids("W", "h1", ignore=("H", "W2")) == ["H1", "W1"]
    assert ids("H1", "W1", ignore=("H1",)) == ["W1"]
    assert set(ids("H", ignore=("H1",))) == set(ids("H")) - {"H1"}


@pytest.mark.parametrize(
    ("text", "quota"),
    [
        ("5/minute", Quota(limit=5, period=60)),
        ("100 per 15 minutes", Quota(limit=100, period=900)),
        ("1000/hour", Quota(limit=1000, period=3600)),
        ("3/2second", Quota(limit=3, period=2)),
    ],
)
def test_a_quota_is_read_as_limits_writes_it(text: str, quota: Quota) -> None:
    """The notation is the one that people know."""
    assert Quota.parse(text) == quota


def test_the_command_line_loads_without_what_only_an_audit_needs() -> None:
    """Importing the command brings neither the toolkit, nor Locust, nor the checks, so its help is quick."""
    script = (
        "import sys, garrison_harness.cli; dear = ('garrison', 'locust', 'gevent', 'h11', 'rich');"
        "print([name for name in (*dear, 'garrison_harness.checks') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
