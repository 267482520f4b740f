"""`garrison load` against real servers: verdict, result, and what the target saw."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load
from tests.harness.load.command_line import read_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.harness.load.command_line import Command


def calls(url: str, path: str) -> list[tuple[str, float]]:
    """Address and time, in seconds, of every call of a path of the tiny app."""
    with urlopen(f"{url}/calls/{path}", timeout=5) as reply:  # noqa: S310 - loopback
        return [(str(address), float(moment)) for address, moment in json.load(reply)]


def callers(url: str, path: str) -> list[str]:
    """The addresses from which a path of the tiny app was asked for."""
    return sorted({address for address, _ in calls(url, path)})


def test_run_that_keeps_its_thresholds_passes(command: Command, url: str, tmp_path: Path) -> None:
    """Exit status 0, a PASS line for each threshold, and a JSON result with every figure."""
    ended = command.run(
        url, "--path", "/kept", "--users", "5", "--rate", "50", "--duration", "1s",
        "--threshold", "p95<5s", "--threshold", "requests>=20", "--threshold", "errors==0%",
        "--format", "json", "--output", str(tmp_path / "load.json"), "--format", "text", "--output", "-",
    )  # fmt: skip
    assert (ended.status, ended.stderr, ended.left) == (0, "", [])
    assert ended.stdout.count("PASS  ") == 3
    assert ended.stdout.endswith("PASSED: 3 thresholds kept\n")

    found = read_json(tmp_path / "load.json")
    assert (found["schema_version"], found["target"]) == (1, {"kind": "url", "words": [url], "url": url})
    assert (found["verdict"], found["complete"], found["reason"]) == ("passed", True, None)
    assert found["plan"] == {
        "model": "closed", "users": 5, "spawn_rate": 5, "rate": 50.0, "duration": 1.0,
        "paths": ["/kept"], "locustfile": None, "expected": [],
    }  # fmt: skip
    assert found["statuses"] == {"200": found["requests"]}
    assert found["rate"] == pytest.approx(found["requests"] / found["duration"])
    assert [one["expression"] for one in found["thresholds"]] == ["p95<5s", "requests>=20", "errors==0%"]
    latency = found["latency"]
    assert list(latency) == ["min", "avg", "p50", "p90", "p95", "p99", "p99_9", "max"]
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99_9"] <= latency["max"] < 5
    assert latency["min"] * 1000 % 1 != 0, "Locust's whole milliseconds"
    assert 0 < found["client"]["cpu"] < 2

    # Every 20 ms; users that went in step would ask five times in a row, and then for 100 ms not at all.
    moments = [moment for _, moment in calls(url, "kept")]
    assert 20 <= found["requests"] == len(moments) <= 51
    assert median(later - earlier for earlier, later in pairwise(moments)) > 0.01
    assert callers(url, "kept") == [f"127.0.1.{number}" for number in range(1, 6)]
    assert found["client"]["addresses"] == 5


def test_missed_thresholds_fail_with_the_actual_value(command: Command, url: str) -> None:
    """Exit status 1; 404 and 500 are errors, 429 and an expected status are not; no redirect is followed."""
    ended = command.run(
        url, "--users", "1", "--rate", "30", "--duration", "1s", "--expect", "418", "--one-address",
        *(word for code in (404, 418, 429, 500) for word in ("--path", f"/status/{code}")), "--path", "/away",
        "--threshold", "errors<1%", "--threshold", "avg<1us", "--threshold", "rate>1", "--format", "json",
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


def test_user_that_sends_nothing_fails(
    command: Command, url: str, locustfile: Callable[[str], str], tmp_path: Path
) -> None:
    """A run without a request proves nothing, and fails although no threshold says so."""
    idle = locustfile(
        "import gevent\nfrom locust import User, task\n"
        "class Idle(User):\n    @task\n    def wait_for_better_days(self):\n        gevent.sleep(0.1)\n"
    )
    ended = command.run(
        url, "--locustfile", idle, "--duration", "300ms", "--threshold", "requests<5",
        "--log-directory", str(tmp_path),
    )  # fmt: skip
    ended.assert_one_line(1, "no request was sent")
    assert "FAILED: no request was sent" in ended.stdout
    assert (tmp_path / "load" / "stderr.log").exists()


def test_locustfile_decides_what_an_error_is(
    command: Command, url: str, locustfile: Callable[[str], str]
) -> None:
    """What a task calls a success or a failure counts as that; exceptions and listeners work as in Locust."""
    source = locustfile("""
from locust import FastHttpUser, constant, events, task

@events.init.add_listener
def prepare(environment, **event):
    environment.prepared = "no such thing"

class Opinionated(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def judge(self):
        with self.client.get("/status/500", catch_response=True) as reply:
            reply.success()
        with self.client.get("/opinion", catch_response=True) as reply:
            reply.failure("not what it should be")
        with self.client.get("/status/418", catch_response=True) as reply:
            reply.failure("expected, but not here")
        self.client.get("/status/429")
        raise LookupError(self.environment.prepared)
""")
    ended = command.run(
        url, "--locustfile", source, "--users", "2", "--duration", "500ms", "--expect", "418",
        "--format", "json",
    )  # fmt: skip
    assert (ended.status, ended.stderr, ended.left) == (1, "", [])
    found = json.loads(ended.stdout)
    assert set(found["statuses"]) == {"200", "418", "429", "500"}
    assert set(found["error_kinds"]) == {
        "not what it should be", "expected, but not here", "in a task: LookupError: no such thing",
    }  # fmt: skip
    kinds = found["error_kinds"]
    assert kinds["not what it should be"] == {"count": found["statuses"]["200"], "paths": ["/opinion"]}
    assert kinds["expected, but not here"] == {"count": found["statuses"]["418"], "paths": ["/status/418"]}
    assert kinds["in a task: LookupError: no such thing"]["paths"] == []
    assert found["limited"] == found["statuses"]["429"]
    assert callers(url, "opinion") == ["127.0.1.1", "127.0.1.2"]


def test_load_shape_of_a_locustfile_is_kept(
    command: Command, url: str, locustfile: Callable[[str], str]
) -> None:
    """A shape says how many users run, and ends the run before its time."""
    source = locustfile("""
from locust import FastHttpUser, LoadTestShape, constant, task

class Walker(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def walk(self):
        self.client.get("/walk")

class Brief(LoadTestShape):
    def tick(self):
        return (3, 3) if self.get_run_time() < 0.5 else None
""")
    ended = command.run(url, "--locustfile", source, "--users", "1", "--duration", "1m", "--format", "json")
    assert (ended.status, ended.stderr, ended.left) == (0, "", [])
    found = json.loads(ended.stdout)
    assert (found["complete"], found["client"]["addresses"]) == (True, 3)
    assert found["duration"] < 10
    assert callers(url, "walk") == ["127.0.1.1", "127.0.1.2", "127.0.1.3"]


def test_user_that_cannot_be_started_is_reported(
    command: Command, url: str, locustfile: Callable[[str], str]
) -> None:
    """A user class that breaks when it is started is named, instead of a run that measures nothing."""
    source = locustfile(
        "from locust import FastHttpUser, task\n"
        "class Broken(FastHttpUser):\n"
        "    def __init__(self, environment):\n        raise OSError('no more users')\n"
        "    @task\n    def start(self): ...\n"
    )
    ended = command.run(url, "--locustfile", source, "--duration", "300ms")
    ended.assert_one_line(1, "no request was sent: starting users: OSError: no more users")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import locust\n\nno_such_name\n", ["did not import: NameError", "(line 3)", "mend it"]),
        ("raise SystemExit\n", ["did not import: SystemExit", "(line 1)"]),
        ("from locust import FastHttpUser\n", ["has no user", "with a @task"]),
        ("from locust import User\nclass Lazy(User): ...\n", ["Lazy has no @task"]),
    ],
)
def test_locustfile_that_cannot_be_used_is_explained(
    command: Command, url: str, locustfile: Callable[[str], str], source: str, words: list[str]
) -> None:
    """Exit status 2 and one line that names the file, the fault and the fix."""
    ended = command.run(url, "--locustfile", locustfile(source))
    ended.assert_one_line(2, "journeys.py", *words)
    assert ended.stdout == ""


def test_modules_of_the_app_do_not_stand_in_for_those_of_locust(
    command: Command, url: str, tmp_path: Path
) -> None:
    """An app that keeps a module of the name of one that Locust needs can be loaded from its directory."""
    (tmp_path / "gevent.py").write_text("raise SystemExit('the wrong gevent')", encoding="utf-8")
    command.start(f"{url}/from-here", "--users", "1", "--duration", "200ms", directory=tmp_path)
    ended = command.end()
    assert (ended.status, ended.stderr) == (0, "")
    assert callers(url, "from-here") == ["127.0.1.1"]


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
        (["app:app", "--rate", "0"], ["--rate", "x>0"]),
        (["app:app", "--path", "items"], ["--path", "such as /items?page=2", "'items'"]),
        (["app:app", "--path", "//evil/"], ["--path", "'//evil/'"]),
        (["app:app", "--path", "/a b"], ["--path", "percent-encoded"]),
        (["app:app", "--locustfile", "missing.py"], ["missing.py", "No such file", "check the path"]),
        (["app:app", "--locustfile", "x.py", "--rate", "5"], ["--rate does not go with --locustfile"]),
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
    assert ended.stderr == "garrison: Locust is not installed: pip install 'garrison[load]'\n"


def test_command_never_imports_locust() -> None:
    """Locust patches the process that imports it, so the command's own process never does."""
    script = (
        "import sys, garrison_harness.load.command, garrison_harness.load.generator\n"
        "print([name for name in ('locust', 'gevent', 'geventhttpclient') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
