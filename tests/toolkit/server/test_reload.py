"""`garrison run --reload`, for development."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.toolkit.server.conftest import APPS, Running, running, wait_for
from tests.toolkit.server.wire import ask

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_change_is_served(tmp_path: Path, number: signal.Signals) -> None:
    """What is saved is served a moment later, also after a mistake, on the same port."""
    app = tmp_path / "changing.py"
    app.write_text((APPS / "waits.py").read_text().replace("os.getpid()", "'one'"))
    (tmp_path / "logs").mkdir()
    with running(tmp_path / "logs", "changing:app", "--reload", directory=tmp_path) as up:
        wait_for(lambda: "Application startup complete" in up.stderr)
        assert ask(up.port).body == b"one"
        app.write_text("this is no Python\n")
        wait_for(lambda: "not_loaded" in up.stderr)
        app.write_text((APPS / "waits.py").read_text().replace("os.getpid()", "'two'"))
        wait_for(lambda: up.stderr.count("Application startup complete") == 2)
        assert ask(up.port).body == b"two"
        assert up.stop(number) == 0
        wait_for(lambda: not up.left())
        assert "Traceback" not in up.stderr


def test_files_saved_twice_in_a_second_are_served_as_they_are(tmp_path: Path) -> None:
    """What Python compiled counts as current while second and size of its source stay as they were."""
    app, draft = tmp_path / "changing.py", tmp_path / "draft"

    def save(name: str) -> None:
        draft.write_text((APPS / "waits.py").read_text().replace("os.getpid()", repr(name)))
        os.utime(draft, (1_700_000_000, 1_700_000_000))
        draft.replace(app)

    save("one")
    (tmp_path / "logs").mkdir()
    compiling = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    with running(tmp_path / "logs", "changing:app", "--reload", directory=tmp_path, **compiling) as up:
        wait_for(lambda: "Application startup complete" in up.stderr)
        assert ask(up.port).body == b"one"
        assert list(tmp_path.glob("__pycache__/changing.*")), "it was compiled"
        save("two")
        wait_for(lambda: up.stderr.count("Application startup complete") == 2)
        assert ask(up.port).body == b"two"


def test_log_in_the_directory_does_not_feed_itself(tmp_path: Path) -> None:
    """Where the log grows is told to nobody: each line about that would be another change."""
    app = tmp_path / "changing.py"
    app.write_text((APPS / "waits.py").read_text())
    with running(tmp_path, "changing:app", "--reload", directory=tmp_path) as up:
        wait_for(lambda: "Application startup complete" in up.stderr)
        app.write_text(app.read_text() + "\n")
        wait_for(lambda: up.stderr.count("Application startup complete") == 2)
        assert "in 'changing.py'. Reloading" in up.stderr, "what is served anew is told"
        assert '"logger":"watchfiles' not in up.stderr


def test_one_interrupt_of_a_terminal_lets_the_app_shut_down(tmp_path: Path) -> None:
    """Both processes get it, and the app that it ends is ended in order."""
    with running(tmp_path, "waits:app", "--reload") as up:
        os.killpg(up.process.pid, signal.SIGINT)
        assert up.process.wait(10) == 0
        wait_for(lambda: not up.left())
        assert "Application shutdown complete" in up.stderr
        assert "Traceback" not in up.stderr


def test_one_process_starts_anew(tmp_path: Path) -> None:
    """Several workers and reload are refused together."""
    up = Running(("waits:app", "--reload", "--workers", "2"), {}, tmp_path)
    assert up.process.wait(10) == 2
    assert up.stderr == "garrison: --reload: expected one worker, which starts anew by itself, found 'on'.\n"
