"""Ctrl-C, SIGTERM and SIGHUP end `garrison check` wherever it is, and all that it has started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.harness.commands import APPS, command, processes_told, wait_until
from tests.neighbour import neighbour

if TYPE_CHECKING:
    from pathlib import Path

# What ends at once takes a fraction of one; whoever waits for something more has not ended at once.
SOON = 3.0

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


def told_to_end(directory: Path, place: str, *words: str, number: signal.Signals = signal.SIGINT) -> int:
    """The status of a check that is told to end where its app is stuck."""
    return ended(directory, place, command(*words, "stuck_app:app"), number)


def ended(directory: Path, place: str, tool_words: list[str], number: signal.Signals) -> int:
    """The same of any command that audits the app, which nobody has waited for."""
    mark = directory / "mark"
    environment = {**os.environ, "STUCK": place, "STUCK_MARK": str(mark)}
    with (directory / "stdout").open("w") as stdout, (directory / "stderr").open("w") as stderr:
        tool = subprocess.Popen(tool_words, cwd=APPS, stdout=stdout, stderr=stderr, env=environment)
        try:
            assert wait_until(mark.exists)
            with neighbour() as beside:
                tool.send_signal(number)
                # Against hanging only: the app would go on after a minute, and say so.
                status = tool.wait(40)
                assert beside.seconds < SOON
        finally:
            tool.kill()
            tool.wait()
    assert wait_until(lambda: not processes_told(f"STUCK_MARK={mark}"))
    assert mark.read_text() == place
    return status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("import", ["--in-process"]),
        ("import", []),
        ("survey", []),
    ],
    ids=["import in process", "start of a server", "look at the routes"],
)
def test_it_ends_before_there_is_anything_to_report(
    place: str, words: list[str], number: signal.Signals, tmp_path: Path
) -> None:
    """At once, with status 4 and one line, and nothing is left running."""
    assert told_to_end(tmp_path, place, *words, number=number) == 4
    assert (tmp_path / "stderr").read_text() == "garrison: interrupted\n"
    assert (tmp_path / "stdout").read_text() == ""


def test_it_ends_although_an_app_in_process_blocks_its_loop(tmp_path: Path) -> None:
    """What sleeps in the startup cannot be ended, and goes with the process."""
    assert told_to_end(tmp_path, "startup", "--in-process") == 4
    assert (tmp_path / "stderr").read_text() == "garrison: interrupted\n"


def test_an_interrupt_in_process_keeps_what_was_found(tmp_path: Path) -> None:
    """The report is marked as one of an interrupted audit, and what was not asked is not run."""
    status = told_to_end(tmp_path, "page", "--in-process", "--select", "H", "--format", "json")

    report = json.loads((tmp_path / "stdout").read_text())
    assert status == 4
    assert report["stopped"] == "the audit was interrupted"
    assert {found["status"] for found in report["checks"]} == {"not run"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_tests_that_audit_are_ended_alike(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session says that it was interrupted, as for any other test, and the target is gone."""
    # Other plugins that are installed here take longer to load than all the rest.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    words = ["--garrison-target", "stuck_app:app", "--garrison-server", "uvicorn", str(tmp_path)]
    # Not with the configuration of this repository, which has limits of its own.
    pytest_words = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "no:cacheprovider"]
    pytest_words += ["-p", "garrison_harness.pytest_plugin"]

    assert ended(tmp_path, "survey", [*pytest_words, *words], number) == pytest.ExitCode.INTERRUPTED
