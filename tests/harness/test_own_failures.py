"""An app that fails while it is imported is quoted, with the place; a wrong name has a nearest one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.importing import misnamed
from garrison_harness.loading import load_app
from garrison_harness.startup import own_failure, own_place
from garrison_harness.target import TargetFailed, parse_target

if TYPE_CHECKING:
    from pathlib import Path

FAILING = """
def connect():
    raise RuntimeError("Forms need a parser.\\nYou can install one with:\\n\\npip install parser\\n")

connect()
"""
WORDS = "RuntimeError: Forms need a parser. You can install one with: pip install parser"
SERVED = "async def app(scope, receive, send): ...\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules in the working directory, which nobody has imported."""
    for name, source in (("failing_at_import", FAILING), ("served_by_name", SERVED)):
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
        # Taken out again afterwards, whoever put it in.
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def test_what_an_app_raises_is_said_in_all_its_words(here: Path) -> None:
    """With file and line of its own code, and without a hint at the directory."""
    done = subprocess.run(
        [sys.executable, "-m", "garrison_harness", "check", "failing_at_import:app", "--start-timeout", "60"],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr == (
        "garrison: failing_at_import:app exited with status 1 before it answered:"
        f" {WORDS} (failing_at_import.py:3)\n"
    )


@pytest.mark.usefixtures("here")
def test_it_is_said_in_process_too() -> None:
    """In the same words."""
    with pytest.raises(TargetFailed) as caught:
        load_app("failing_at_import:app")
    assert str(caught.value) == f"failing_at_import:app could not be loaded: {WORDS} (failing_at_import.py:3)"


@pytest.mark.usefixtures("here")
def test_a_module_that_is_not_found_may_be_in_another_directory() -> None:
    """The hint is for that alone."""
    with pytest.raises(TargetFailed, match="start this in the directory where the import works"):
        load_app("nowhere_at_all:app")


def test_a_name_that_is_not_there_has_a_nearest_one(here: Path) -> None:
    """Whether a server looks for it or this process; `garrison run` says it itself."""
    said = "served_by_name has no attribute 'ap'. Did you mean 'app'?"
    with pytest.raises(TargetFailed) as caught:
        load_app("served_by_name:ap")
    assert str(caught.value) == said
    # Of all servers alike, in a process of its own.
    assert str(misnamed(parse_target(["served_by_name:ap"]), {})) == said
    assert misnamed(parse_target(["served_by_name:ap"], harden=True), {}) is None


def test_only_the_last_traceback_and_its_own_frames_count(here: Path) -> None:
    """Libraries are not where to look, and what a server writes afterwards is nobody's word."""
    log = [
        "Traceback (most recent call last):",
        f'  File "{here}/earlier.py", line 1, in <module>',
        "KeyError: 1",
        "Traceback (most recent call last):",
        '  File "/usr/lib/python3/importlib/__init__.py", line 90, in import_module',
        f'  File "{here}/shop/main.py", line 7, in <module>',
        f'  File "{here}/.venv/lib/site-packages/fastapi/routing.py", line 8, in post',
        "RuntimeError: no forms",
        "install them",
        "[INFO] Stopped worker-1",
    ]
    assert own_place(log) == "shop/main.py:7"
    assert own_failure(log) == "RuntimeError: no forms install them (shop/main.py:7)"
    assert own_failure([*log[3:5], log[6], *log[7:]]) == ""
    assert own_failure([*log[:7], "ModuleNotFoundError: No module named 'shop'"]) == ""
    says = "importing shop failed: RuntimeError: no forms (/srv/shop.py, line 7)"
    assert own_failure([f"garrison: {says}"]) == says
