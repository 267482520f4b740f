"""`garrison drill` as people run it: bad input, interruption, reports, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from garrison_harness.drills.command import drill
from tests.harness.commands import processes_with, wait_until

APPS = Path(__file__).with_name("apps")
ENTRY = [sys.executable, "-m", "garrison", "drill"]
CARELESS = ["--", sys.executable, str(APPS / "careless.py"), "{port}"]
QUICK = ["--window", "0.5", "--rate", "40"]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 2, "no target: give module:attribute"),
        (["shop"], 2, "'shop' is no target"),
        (["http://192.0.2.1/"], 2, "is not on this machine"),
        (["shop:app", "--select", "stoped"], 2, "'stoped' is no drill: did you mean stopped?"),
        (["shop:app", "--rate", "0"], 2, "0.0 is not in the range"),
        (["shop:app", "--rate", "many"], 2, "'many' is not a valid float"),
        (["shop:app", "--window", "nan"], 2, "is no number of seconds"),
        (["shop:app", "--path", "items"], 2, "expected a path such as /items?page=2"),
        (["shop:app", "--store-variable", "A B"], 2, "expected the name of a variable such as REDIS_URL"),
        (["shop:app", "--quota", "lots"], 2, "'lots' is no quota"),
        (["shop:app", "--format", "json", "--format", "junit"], 2, "two formats cannot share stdout"),
        (["http://127.0.0.1:9/"], 3, "nothing answers at http://127.0.0.1:9"),
        (["--config", "off", "nowhere:app"], 3, 'Could not import module "nowhere"'),
    ],
)
def test_bad_input_is_one_line(words: list[str], status: int, told: str) -> None:
    """What, where, expected, found and how to fix it, in one line on stderr, with the status for its kind."""
    ended = CliRunner().invoke(drill, words)
    assert ended.exit_code == status, ended.output
    assert ended.stderr.startswith("garrison: ")
    assert ended.stderr.count("\n") == 1
    assert told in ended.stderr


def test_the_list_says_what_is_expected() -> None:
    """Each drill with what breaks and what an app does about it, and no target needed."""
    listed = CliRunner().invoke(drill, ["--list"]).output
    assert "stopped\n  The app is told to stop (SIGTERM), and started again.\n" in listed
    assert max(map(len, listed.splitlines())) <= 80
    assert "log-stalled" not in CliRunner().invoke(drill, ["--list", "--ignore", "log-stalled"]).output


def test_a_path_that_fails_by_itself_is_not_drilled() -> None:
    """Where the load would get errors with nothing broken, it is said before anything is."""
    ended = CliRunner().invoke(drill, ["--path", "/boom", *CARELESS])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "ask for /boom, which answers 500 with nothing broken: name another with --path" in ended.stderr


def test_reports_and_exit_status_of_a_run(tmp_path: Path) -> None:
    """Status 1 for what is broken, each format in its place, and the target's output where it is kept."""
    pairs = [("text", "-"), ("json", str(tmp_path / "d.json")), ("junit", str(tmp_path / "d.xml"))]
    flags = [word for form, place in pairs for word in ("--format", form, "--output", place)]
    logs = ["--log-directory", str(tmp_path / "logs")]
    words = [*QUICK, *flags, *logs, "--select", "handler-exceptions", "--error-path", "/boom", *CARELESS]
    ended = CliRunner().invoke(drill, words)
    assert (ended.exit_code, ended.stderr) == (1, "")
    assert "broken    handler-exceptions: a handler raises again and again" in ended.stdout
    document = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert (document["verdict"], document["complete"]) == ("broken", True)
    broken = [point for point in document["drills"][0]["points"] if point["verdict"] == "broken"]
    assert (tmp_path / "d.xml").read_text(encoding="utf-8").count("<failure") == len(broken) > 0
    assert "GET /boom" in (tmp_path / "logs" / "handler-exceptions" / "stderr.log").read_text(
        encoding="utf-8"
    )


def test_interruption_keeps_what_was_found(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a drill: status 4, a report that says so, and neither app nor store is left."""
    mark = f"drill-{tmp_path.name}-{os.getpid()}"
    store = ["--store-variable", "STORE_URL", "--select", "store-frozen,stopped"]
    words = [*ENTRY, "--window", "30", *store, "--format", "json", *CARELESS, "many", mark]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        # The app, its store, and the store that all drills have.
        if not wait_until(lambda: len(children_of(process.pid)) >= 3, 40):
            process.terminate()
            raise AssertionError(process.communicate(timeout=15))
        time.sleep(0.3)
        left = children_of(process.pid)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 4
    assert stderr == "garrison: interrupted; what was found until then is in the report\n"
    document = json.loads(stdout)
    assert (document["verdict"], document["complete"]) == ("inconclusive", False)
    assert {found["reason"] for found in document["drills"]} == {"interrupted"}
    assert not [each for each in left if Path(f"/proc/{each}").exists()]
    assert not processes_with(mark)


def children_of(parent: int) -> list[int]:
    """The processes that a process started and that still run."""
    try:
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8")
    except OSError:
        return []
    return [int(word) for word in found.split()]
