"""Runs that end before their time: partial results are kept and marked, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan, Report
from garrison_harness.load.tally import UNFINISHED
from garrison_harness.running import running
from garrison_harness.target import parse_target
from tests.harness.load.command_line import read_json, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from garrison_harness.running import Running
    from tests.harness.load.command_line import Command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_keeps_what_was_measured(
    command: Command, tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM in the middle: exit status 4, one line, a partial result, and no process left."""
    process = command.start(
        "tiny_app:app", "--users", "2", "--rate", "20", "--duration", "1m", "--path", "/", "--path", "/hang",
        "--format", "json", "--output", str(tmp_path / "load.json"), "--log-directory", str(tmp_path),
    )  # fmt: skip
    log = tmp_path / "stdout.log"
    wait_for(lambda: log.exists() and "127.0.1." in log.read_text(encoding="utf-8"))
    process.send_signal(number)
    signalled = time.monotonic()
    ended = command.end()
    ended.assert_one_line(4, "interrupted after", "partial")
    assert time.monotonic() - signalled < 4, "nobody waits for replies that will not come"
    found = read_json(tmp_path / "load.json")
    assert (found["verdict"], found["complete"]) == ("inconclusive", False)
    assert found["reason"] in ended.stderr
    assert found["requests"] > 0
    assert UNFINISHED not in found["error_kinds"], "cut off by a person, which says nothing about the target"


def test_interruption_while_the_target_starts(command: Command) -> None:
    """Ctrl-C before the load begins: exit status 4, one line, and the target is gone."""
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)", "{port}"]
    process = command.start("--", *sleeper)
    wait_for(lambda: any("time.sleep" in line and "leash" not in line for line in _children(command)))
    process.send_signal(signal.SIGINT)
    command.end().assert_one_line(4, "garrison: interrupted\n")


def _children(command: Command) -> list[str]:
    assert command.process is not None
    return [line for number, line in command.marked().items() if number != command.process.pid]


def test_target_that_dies_makes_the_run_inconclusive(command: Command) -> None:
    """A target that dies under load: exit status 4, how it ended, and what was measured before."""
    ended = command.run(
        "tiny_app:app", "--users", "1", "--rate", "10", "--duration", "1m",
        *["--path", "/"] * 3, "--path", "/die",
    )  # fmt: skip
    ended.assert_one_line(4, "the target died under load (exit status 7")
    assert "INCONCLUSIVE: the target died" in ended.stdout
    assert "statuses  200: 3" in ended.stdout


def test_target_by_url_that_dies_makes_the_run_inconclusive(
    command: Command, serve: Callable[[str], AbstractContextManager[Running]]
) -> None:
    """A target that was started elsewhere is missed too, once the run is over."""
    with serve("tiny_app:app") as up:
        ended = command.run(
            up.base_url, "--users", "1", "--rate", "10", "--duration", "300ms", "--path", "/die"
        )
    ended.assert_one_line(4, "the target died under load after")


def test_load_process_that_does_not_end_is_killed(url: str, tmp_path: Path) -> None:
    """A locustfile that never finishes its import does not hold up the run for ever."""
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    plan = Plan(base_url=url, users=1, spawn_rate=1, duration=0.1, grace=0.1, locustfile=str(stuck))
    with running(parse_target([url])) as up:
        outcome = generate(plan, up, allowance=0.0)
    assert (outcome.how, outcome.report.tally.requests) == ("generator stuck", 0)


def test_load_process_that_is_killed_leaves_its_last_report(command: Command, url: str) -> None:
    """Whatever kills the load process: exit status 4, and the figures up to a second before."""
    command.start(url, "--users", "1", "--rate", "20", "--duration", "1m")

    def written() -> list[int]:
        return [number for number, line in command.marked().items() if "locust_child" in line]

    wait_for(written)
    child = written()[0]
    report = _report_of(child)
    wait_for(report.exists)
    os.kill(child, signal.SIGKILL)
    ended = command.end()
    ended.assert_one_line(4, "the load process died (signal 9")
    assert "statuses  200: " in ended.stdout


def _report_of(child: int) -> Path:
    words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
    return Path(next(word for word in words if word.endswith("report.json")))


def test_request_without_a_reply_counts_as_an_error(url: str, tmp_path: Path) -> None:
    """A target that hangs is not a fast one: what is cut off at the end is an error as long as it lasted."""
    plan = Plan(base_url=url, users=3, spawn_rate=3, duration=0.4, grace=0.3, paths=("/hang",))
    plan.write(tmp_path / "plan.json")
    child = [sys.executable, "-m", "garrison_harness.load.locust_child"]
    subprocess.run([*child, "plan.json", "report.json"], cwd=tmp_path, check=True, timeout=20)
    report = Report.read(tmp_path / "report.json")
    assert report is not None
    assert report.ended == "finished"
    assert report.tally.kinds == {UNFINISHED: 3}
    assert report.tally.examples == {UNFINISHED: ["/hang"]}
    assert report.tally.latency.min >= 600_000
