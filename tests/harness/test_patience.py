"""An audit waits for longer than the layers of an app that it starts, unless somebody chose a grace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.auditing import audited, within_patience
from garrison_harness.checks.catalogue import choose
from garrison_harness.checks.slow_clients import BODY_GRACE
from garrison_harness.finding import Severity
from garrison_harness.target import TargetFailed, parse_target
from tests.harness.recordings import SITE

if TYPE_CHECKING:
    from pathlib import Path

NAME = "GARRISON_TIMEOUTS_BODY_GRACE"
LOOK = 1.0  # seconds between two looks of the layer at those who wait
APP = f"""
import os
raise RuntimeError("waits for " + os.environ["{NAME}"])
"""


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has said anything."""
    monkeypatch.delenv(NAME, raising=False)


def test_an_audit_starts_an_app_with_a_grace_that_it_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With some seconds to spare, for a machine that is busy."""
    (tmp_path / "telling_app.py").write_text(APP, "utf-8")
    monkeypatch.chdir(tmp_path)
    target = parse_target(["telling_app:app"], start_timeout=60)
    with pytest.raises(TargetFailed, match=f"waits for {BODY_GRACE:g}s "):
        audited(target, replace(SITE, slow_limit=None), (), fail_on=Severity.MEDIUM, timeout=60)
    (check,) = choose(("R8",), ())
    assert check.ask is not None
    slow = check.ask(replace(SITE, slow_limit=None))["slow body"]
    assert slow.leaves is not None
    assert slow.leaves > BODY_GRACE + 2 * LOOK


@pytest.mark.parametrize("name", [NAME, f"{NAME}_FILE", "GARRISON_TIMEOUTS", "GARRISON_TIMEOUTS_FILE"])
def test_a_grace_that_somebody_chose_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment of the audit, or in that of the app; a section that is off stays so."""
    target = parse_target(["shop:app"], environment=[(name, "30s")])
    assert within_patience(target, SITE) is target
    bare = parse_target(["shop:app"])
    monkeypatch.setenv(name, "30s")
    assert within_patience(bare, SITE) is bare


def test_a_bound_that_was_declared_is_waited_for() -> None:
    """And what runs already is not ours to set."""
    declared, url = parse_target(["shop:app"]), parse_target(["http://127.0.0.1:1/"])
    assert within_patience(declared, replace(SITE, slow_limit=21.0)) is declared
    assert within_patience(url, SITE) is url
