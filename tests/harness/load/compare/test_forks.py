"""Load processes that are forked from one that has imported Locust: each is on its own, and none stays."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from garrison_harness.load.forks import PID_SUFFIX, forks
from garrison_harness.load.plan import Plan
from garrison_harness.target import UsageFault
from tests.harness.load.command_line import wait_for


def runs(number: int) -> bool:
    """Whether a process is there, and is no zombie."""
    try:
        status = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return status != "Z"


def test_load_processes_end_as_they_would_alone(tmp_path: Path, url: str) -> None:
    """One that fails says so and harms none after it; one is ended when asked; one dies with its parent."""
    plan = tmp_path / "plan.json"
    Plan(base_url=url, rate=20.0, duration=60.0, paths=("/", "/hang")).write(plan)
    with forks(tmp_path / "logs") as made:
        broken = made.start(tmp_path / "no-plan.json", tmp_path / "broken.jsonl")
        wait_for(lambda: broken.exit_status() is not None)
        assert broken.exit_status() == 1
        assert any("FileNotFoundError" in line for line in broken.log_tail(20))

        running = []
        for name in ("asked", "orphan"):
            stream = tmp_path / f"{name}.jsonl"
            fork = made.start(plan, stream)
            wait_for(stream.with_suffix(PID_SUFFIX).exists)
            assert fork.exit_status() is None
            running.append(int(stream.with_suffix(PID_SUFFIX).read_text(encoding="ascii")))
            if name == "asked":
                wait_for(stream.exists)
                fork.end(grace=30.0)
                assert fork.exit_status() == 0, "it tells the rest when it is asked, and waits for no reply"
                assert '"ended":"stopped"' in stream.read_text(encoding="utf-8")
        os.kill(made.child.pid, signal.SIGKILL)
        wait_for(lambda: not any(map(runs, running)))


def test_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """The line names the option that says where."""
    (tmp_path / "logs").write_text("a file", encoding="utf-8")
    with (
        pytest.raises(UsageFault, match=r"cannot write logs to .*; give another --log-directory"),
        forks(tmp_path / "logs"),
    ):
        pass
