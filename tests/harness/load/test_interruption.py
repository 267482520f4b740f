"""Runs that end before their time: partial results are kept and marked, and nothing is left running."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan
from garrison_harness.load.stream import FILE_NAME
from garrison_harness.load.tally import UNFINISHED
from garrison_harness.running import running
from garrison_harness.target import parse_target
from tests.harness.load.command_line import read_json, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from garrison_harness.load.account import Account
    from garrison_harness.load.forks import Forks
    from garrison_harness.running import Running
    from tests.harness.load.command_line import Command


@pytest.mark.parametrize(
    ("number", "load"),
    [(signal.SIGINT, ["--users", "2"]), (signal.SIGTERM, ["--rate", "20", "--max-users", "2"])],
)
def test_interruption_keeps_what_was_measured(
    command: Command, tmp_path: Path, number: signal.Signals, load: list[str]
) -> None:
    """Ctrl-C and SIGTERM in the middle: exit status 4, one line, a partial result, and no process left."""
    process = command.start(
        "tiny_app:app", *load, "--duration", "1m", "--path", "/", "--path", "/", "--path", "/hang",
        "--format", "json", "--output", str(tmp_path / "load.json"), "--log-directory", str(tmp_path),
    )  # fmt: skip
    log = tmp_path / "stdout.log"
    # Two users, so that one of them has asked twice: it has taken its first reply by then.
    wait_for(lambda: log.exists() and log.read_text(encoding="utf-8").count("127.0.1.") > 2)
    process.send_signal(number)
    ended = command.end()
    ended.assert_one_line(4, "interrupted after", "partial")
    found = read_json(tmp_path / "load.json")
    assert (found["verdict"], found["complete"]) == ("inconclusive", False)
    assert found["reason"] in ended.stderr
    assert found["requests"] > 0, "whoever waits for replies that will not come is killed, and tells nothing"
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
        "tiny_app:app", "--users", "1", "--duration", "1m", *["--path", "/"] * 3, "--path", "/die",
    )  # fmt: skip
    ended.assert_one_line(4, "the target died under load (exit status 7")
    assert "INCONCLUSIVE: the target died" in ended.stdout
    assert "statuses  200: " in ended.stdout


def test_target_by_url_that_dies_is_missed(
    serve: Callable[[str], AbstractContextManager[Running]], load_processes: Forks
) -> None:
    """A target that was started elsewhere is found dead too, once the run is over."""
    plan = Plan(rate=10, duration=0.2, paths=("/die",))
    with serve("tiny_app:app") as started, running(parse_target([started.base_url])) as up:
        outcome = generate(plan.at(up.base_url), up, forks=load_processes)
    assert (outcome.how, outcome.detail) == ("target died", "")


def test_load_process_that_does_not_end_is_killed(url: str, tmp_path: Path) -> None:
    """A locustfile that never finishes its import does not hold up the run for ever."""
    stuck = tmp_path / "stuck.py"
    stuck.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    plan = Plan(base_url=url, users=1, spawn_rate=1, duration=0.1, grace=0.1, locustfile=str(stuck))
    with running(parse_target([url])) as up:
        outcome = generate(plan, up, allowance=0.0)
    assert (outcome.how, outcome.account.tally.requests) == ("generator stuck", 0)


def test_load_process_that_is_killed_leaves_what_it_told(command: Command, url: str) -> None:
    """Whatever kills the load process: exit status 4, and the figures up to a second before."""
    command.start(url, "--rate", "20", "--duration", "1m")

    def written() -> list[int]:
        return [number for number, line in command.marked().items() if "locust_child" in line]

    wait_for(written)
    child = written()[0]
    stream = _stream_of(child)
    wait_for(lambda: stream.exists() and '"200":' in stream.read_text(encoding="utf-8"))
    os.kill(child, signal.SIGKILL)
    ended = command.end()
    ended.assert_one_line(4, "the load process died (signal 9")
    assert "statuses  200: " in ended.stdout


def _stream_of(child: int) -> Path:
    words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
    return Path(next(word for word in words if word.endswith(FILE_NAME)))


def test_load_process_that_ends_itself_says_why(url: str, tmp_path: Path) -> None:
    """Its last words are told, also where nobody asked for its log to be kept."""
    ending = tmp_path / "ending.py"
    ending.write_text(
        "import sys\nfrom locust import User, task\n"
        "class Ending(User):\n    @task\n    def end(self):\n        sys.exit('the licence is over')\n",
        encoding="utf-8",
    )
    plan = Plan(base_url=url, users=1, spawn_rate=1, duration=1.0, locustfile=str(ending))
    with running(parse_target([url])) as up:
        outcome = generate(plan, up)
    assert (outcome.how, outcome.detail) == (
        "generator died", "exit status 1; its log ends with: the licence is over",
    )  # fmt: skip


def test_request_without_a_reply_counts_as_an_error(run: Callable[[Plan], Account]) -> None:
    """A target that hangs is not a fast one: what is cut off at the end is an error as long as it lasted."""
    account = run(Plan(users=3, spawn_rate=3, duration=0.5, grace=0.3, paths=("/hang",)))
    assert account.tally.kinds == {UNFINISHED: 3}
    assert account.tally.examples == {UNFINISHED: ["/hang"]}
    assert account.tally.latency.min >= 300_000, "none begins after the end, and then come 0.3 s of grace"
