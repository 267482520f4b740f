"""What an app prints while it is driven in process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.commands import APPS, check

if TYPE_CHECKING:
    from pathlib import Path

# It prints in every way: at its import, for each request, and to a copy of the descriptor, as logs do.
LOUD = """
import os, sys
from good_app import app as quiet

log = os.dup(sys.stdout.fileno())
print("at import")

async def app(scope, receive, send):
    print("asked")
    os.write(log, b"logged\\n")
    await quiet(scope, receive, send)
"""


@pytest.fixture
def loud(tmp_path: Path) -> Path:
    """A folder with the app."""
    (tmp_path / "loud.py").write_text(LOUD, encoding="utf-8")
    return tmp_path


def test_standard_output_is_the_reports_alone(loud: Path) -> None:
    """A program reads JSON there, whatever the app writes."""
    ran = check(
        "--in-process", "--select", "H1,H2", "--format", "json", "loud:app", cwd=loud, PYTHONPATH=str(APPS)
    )

    assert ran.status == 0, ran.stderr
    assert [one["id"] for one in json.loads(ran.stdout)["checks"]] == ["H1", "H2"]


def test_the_log_directory_keeps_what_the_app_printed(loud: Path) -> None:
    """As it does for a process of its own."""
    words = ("--in-process", "--select", "H2", "--log-directory", loud / "logs", "loud:app")
    ran = check(*words, cwd=loud, PYTHONPATH=str(APPS))

    assert ran.status == 0, ran.stderr
    assert set((loud / "logs" / "stdout.log").read_text("utf-8").split("\n")) == {
        "at import", "asked", "logged", "",
    }  # fmt: skip
    assert "asked" not in ran.stdout


def test_a_log_directory_that_is_none_is_said_in_one_line(loud: Path) -> None:
    """With what to do; status 2."""
    ran = check("--in-process", "--log-directory", loud / "loud.py" / "logs", "loud:app", cwd=loud)

    assert ran.status == 2
    assert ran.error_line.endswith("give another --log-directory")
