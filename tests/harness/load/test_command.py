"""`garrison load` against real servers: verdict, result, and what the target saw."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load
from tests.harness.load.asking import callers, calls
from tests.harness.load.command_line import read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.harness.load.command_line import Command


def test_run_that_keeps_its_thresholds_passes(command: Command, url: str, tmp_path: Path) -> None:
    """Exit status 0, a PASS line for each threshold, and a JSON result with every figure."""
    ended = command.run(
        url, "--path", "/kept", "--users", "5", "--duration", "500ms",
        "--threshold", "p95<5s", "--threshold", "requests>=5", "--threshold", "errors==0%",
        "--format", "json", "--output", str(tmp_path / "load.json"), "--format", "text", "--output", "-",
    )  # fmt: skip
    assert (ended.status, ended.stderr, ended.left) == (0, "", [])
    assert ended.stdout.count("PASS  ") == 3
    assert ended.stdout.endswith("PASSED: 3 thresholds kept\n")

    found = read_json(tmp_path / "load.json")
    assert (found["schema_version"], found["target"]) == (2, {"kind": "url", "words": [url], "url": url})
    assert (found["verdict"], found["complete"], found["reason"]) == ("passed", True, None)
    plan = found["plan"]
    assert (plan["model"], plan["users"], plan["rate"], plan["duration"]) == ("closed", 5, None, 0.5)
    assert (plan["paths"], plan["locustfile"], plan["expected"]) == (["/kept"], None, [])
    assert found["statuses"] == {"200": found["requests"]}
    assert found["rate"] == pytest.approx(found["requests"] / found["duration"])
    assert [one["expression"] for one in found["thresholds"]] == ["p95<5s", "requests>=5", "errors==0%"]
    latency = found["latency"]
    assert list(latency) == ["min", "avg", "p50", "p90", "p95", "p99", "p99_9", "max"]
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99_9"] <= latency["max"] < 5
    assert latency["min"] * 1000 % 1 != 0, "Locust's whole milliseconds"
    assert 0 < found["client"]["cpu"] < 2
    assert found["arrivals"] == {"due": 0, "late": 0, "dropped": 0, "starved": 0}
    assert 5 <= found["requests"] == len(calls(url, "kept"))
    assert callers(url, "kept") == [f"127.0.1.{number}" for number in range(1, 6)]
    assert found["client"]["addresses"] == 5


def test_missed_thresholds_fail_with_the_actual_value(command: Command, url: str) -> None:
    """Exit status 1; 404 and 500 are errors, 429 and an expected status are not; no redirect is followed."""
    ended = command.run_here(
        url, "--users", "1", "--duration", "500ms", "--expect", "418", "--one-address",
        *(word for code in (404, 418, 429, 500) for word in ("--path", f"/status/{code}")), "--path", "/away",
        "--threshold", "errors<1%", "--threshold", "min>1m", "--threshold", "rate>1", "--format", "json",
    )  # fmt: skip
    assert (ended.status, ended.stderr, ended.left) == (1, "", [])
    found: dict[str, Any] = json.loads(ended.stdout)
    assert found["verdict"] == "failed"
    assert set(found["statuses"]) == {"302", "404", "418", "429", "500"}
    assert found["error_kinds"] == {
        f"HTTP {code}": {"count": found["statuses"][code], "paths": [f"/status/{code}"]}
        for code in ("404", "500")
    }
    assert found["errors"] == sum(kind["count"] for kind in found["error_kinds"].values())
    assert found["limited"] == found["statuses"]["429"]
    assert [one["passed"] for one in found["thresholds"]] == [False, False, True]
    assert found["thresholds"][0]["actual"] == pytest.approx(found["error_share"])
    assert callers(url, "away") == ["127.0.0.1"]
    assert found["client"]["addresses"] == 0


def test_modules_of_the_app_do_not_stand_in_for_those_of_locust(
    command: Command, url: str, tmp_path: Path
) -> None:
    """An app that keeps a module of the name of one that Locust needs can be loaded from its directory."""
    (tmp_path / "gevent.py").write_text("raise SystemExit('the wrong gevent')", encoding="utf-8")
    command.start(f"{url}/from-here", "--users", "1", "--duration", "200ms", directory=tmp_path)
    ended = command.end()
    assert (ended.status, ended.stderr) == (0, "")
    assert callers(url, "from-here") == ["127.0.1.1"]


def test_target_that_does_not_answer_is_status_3(command: Command) -> None:
    """A URL where nothing listens is told in one line, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        ended = command.run(f"http://127.0.0.1:{taken.getsockname()[1]}", calibrate=True)
    ended.assert_one_line(3, "nothing answers at http://127.0.0.1:", "start the app first")


def test_target_that_does_not_start_is_status_3(command: Command) -> None:
    """An import string that leads nowhere is the target's fault, in one line."""
    command.run("no_such_module:app").assert_one_line(3, "no_such_module")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["no target", "module:attribute"]),
        (["nonsense"], ["'nonsense' is no target"]),
        (["http://192.0.2.1/"], ["not on this machine"]),
        (["app:app", "--threshold", "p95<200"], ["--threshold", "did you mean 200ms"]),
        (["app:app", "--duration", "10"], ["--duration", "such as 200ms, 10s or 1m", "'10'"]),
        (["app:app", "--duration", "0s"], ["--duration", "more than nothing"]),
        (["app:app", "--users", "0"], ["--users", "x>=1"]),
        (["app:app", "--rate", "0"], ["--rate", "0<x<=100000"]),
        (["app:app", "--rate", "100001"], ["--rate", "0<x<=100000"]),
        (["app:app", "--rate", "nan"], ["--rate", "such as 50", "nan"]),
        (["app:app", "--spawn-rate", "inf"], ["--spawn-rate", "such as 50", "inf"]),
        (["app:app", "--rate", "200", "--threshold", "rate>=200"], ["rate>=200: --rate 200", "dropped"]),
        (["app:app", "--path", "items"], ["--path", "such as /items?page=2", "'items'"]),
        (["app:app", "--path", "//evil/"], ["--path", "'//evil/'"]),
        (["app:app", "--path", "/a b"], ["--path", "percent-encoded"]),
        (["app:app", "--locustfile", "missing.py"], ["missing.py", "No such file", "check the path"]),
        (["app:app", "--locustfile", "x.py", "--path", "/"], ["--path does not go with --locustfile"]),
        (["app:app", "--format", "xml"], ["'xml' is not one of", "'text'", "'json'"]),
        (["app:app", "--format", "json", "--format", "text"], ["stdout"]),
        (
            ["app:app", "--format", "json", "--output", "a", "--output", "b"],
            ["json to a, and no --format for b"],
        ),
        (["app:app", "--output", "no/such/directory/load.txt"], ["no/such/directory"]),
        (["app:app", "--user", "5"], ["--user", "--users"]),
    ],
)
def test_usage_error_is_one_line(words: list[str], expected: list[str]) -> None:
    """Exit status 2, before anything is started, with what was found and what to write instead."""
    ended = CliRunner().invoke(load, words)
    assert ended.exit_code == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("garrison: ")
    assert ended.stderr.count("\n") == 1
    for text in expected:
        assert text in ended.stderr


def test_locustfile_with_a_syntax_error_names_its_line(locustfile: Callable[[str], str]) -> None:
    """A locustfile that is no Python is refused before the target is started."""
    ended = CliRunner().invoke(load, ["app:app", "--locustfile", locustfile("x = 1\nif:\n")])
    assert ended.exit_code == 2
    assert "journeys.py, line 2 is not Python" in ended.stderr


def test_missing_locust_names_the_extra() -> None:
    """Without Locust, the one line says what to install."""
    script = (
        "import sys; sys.modules['locust'] = None\n"
        "from garrison_harness.load.command import load; load(['app:app'])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert (
        ended.stderr
        == "garrison: `garrison load` needs locust. Install it with: pip install 'garrison[load]'\n"
    )


def test_command_never_imports_locust() -> None:
    """Locust patches the process that imports it, so the command's own process never does."""
    script = (
        "import sys, garrison_harness.load.command, garrison_harness.load.generator\n"
        "print([name for name in ('locust', 'gevent', 'geventhttpclient') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
