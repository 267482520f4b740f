"""`garrison load --compare` as people run it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from garrison_harness.load.account import Account
from garrison_harness.load.command import load
from garrison_harness.load.generator import Outcome
from garrison_harness.load.health import Health
from garrison_harness.load.plan import Plan
from garrison_harness.load.result import Result
from garrison_harness.target import parse_target
from tests.harness.load.command_line import read_json, wait_for
from tests.harness.load.compare.recorded import part

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.load.command_line import Command

URL = "http://127.0.0.1:9"
HARDENED = ("tiny_app:app", "--harden", "--compare", "bare")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((URL, "--compare", "bare"), "add --harden, which takes module:attribute"),
        ((*HARDENED[:1], "--compare", "bare"), "add --harden"),
        ((*HARDENED, "--duration", "1s"), "--duration 1s in 10 rounds leaves 0.1 s for each"),
        ((*HARDENED, "--rounds", "4"), "--rounds"),
        ((URL, "--rounds", "10"), "--rounds says how often --compare bare loads both in turn"),
        ((URL, "--threshold", "diff(p95)<1ms"), "a difference takes two; say with --compare"),
        ((URL, "--compare", "/none.json"), "--compare /none.json: No such file or directory; give bare"),
        ((URL, "--compare", __file__), "is no report of garrison load"),
    ],
)
def test_what_cannot_be_compared_is_one_line(words: tuple[str, ...], said: str) -> None:
    """Exit status 2 before anything is started, and what to do instead."""
    ended = CliRunner().invoke(load, words)
    assert (ended.exit_code, ended.output.count("\n")) == (2, 1), ended.output
    assert said in ended.output


def test_interruption_keeps_the_rounds_that_were_done(command: Command, tmp_path: Path) -> None:
    """Ctrl-C between two variants: what was seen of both is reported, and both are gone."""
    process = command.start(
        *HARDENED, "--duration", "20s", "--rounds", "100", "--rate", "50",
        "--format", "json", "--output", str(tmp_path / "load.json"), "--format", "text", "--output", "-",
        "--log-directory", str(tmp_path),
    )  # fmt: skip
    log = tmp_path / "stdout.log"
    # 10 requests at most in the round that does not count, as many in the first that does, then the next.
    wait_for(lambda: process.poll() is not None or _logged(log) > 22)
    process.send_signal(signal.SIGINT)
    ended = command.end()
    ended.assert_one_line(4, "interrupted after", "partial")
    found = read_json(tmp_path / "load.json")
    assert (found["verdict"], found["complete"]) == ("inconclusive", False)
    compared = found["comparison"]
    assert (compared["baseline"], compared["interleaved"]) == ("bare", True)
    assert 1 <= compared["rounds"] == len(compared["baseline_rounds"]) == len(found["slices"]) < 100
    assert 0 < found["slices"][0]["requests"] <= 10
    assert 0 < compared["baseline_rounds"][0]["requests"] <= 10
    assert found["slices"][0]["cpu"] > 0
    assert found["requests"] >= sum(one["requests"] for one in found["slices"])
    assert _logged(log) > found["requests"] + 1, "the first round is for warming up"
    assert "Compared with bare, loaded in turn in " in ended.stdout
    assert (tmp_path / "bare" / "stdout.log").exists()


def _logged(log: Path) -> int:
    """Requests in the log of the target."""
    return log.read_text(encoding="utf-8").count('"http.request"') if log.exists() else 0


def test_run_is_held_against_a_report(command: Command, url: str, tmp_path: Path) -> None:
    """Figures side by side, and why nothing can be concluded: here a threshold ended the run in order."""
    earlier = Result(
        target=parse_target([url]),
        started=datetime(2026, 1, 2, tzinfo=UTC),
        plan=Plan(users=10, spawn_rate=10, rate=40.0, duration=10.0, paths=("/status/500",)),
        outcome=Outcome(how="finished", account=Account()),
        judgements=(),
        health=Health(ceiling=5000.0),
        slices=tuple(part([0.2] * 40) for _ in range(10)),
    )
    before = tmp_path / "before.json"
    before.write_text(earlier.to_json(), encoding="utf-8")
    ended = command.run_here(
        url, "--rate", "40", "--duration", "10s", "--path", "/status/500", "--compare", str(before),
        "--threshold", "errors<5% abort", "--threshold", "p95<10s", "--threshold", "diff(p50)<1ms",
        "--format", "json", "--output", str(tmp_path / "now.json"), "--format", "text", "--output", "-",
    )  # fmt: skip
    ended.assert_one_line(1, "aborted after", "errors<5% abort was missed: ")
    found = read_json(tmp_path / "now.json")
    assert (found["verdict"], found["complete"], found["aborted"]) == ("failed", False, True)
    assert [one["passed"] for one in found["thresholds"]][:2] == [False, True]
    assert found["duration"] < 10
    assert found["reason"] in ended.stderr
    told = " ".join(ended.stdout.split())
    assert "Compared with the run in" in told
    assert "p50 200 ms" in told
    assert "inconclusive: this run was not calibrated" in told
    assert "inconclusive: a comparison takes at least 5 parts of at least a second, and there were " in told
    assert "UNSURE diff(p50)<1ms not judged: fewer than 5 rounds say nothing" in told
