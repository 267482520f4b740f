"""What the generator reaches by itself, and a run where it was the limit."""

from __future__ import annotations

import json
import signal
import socket
import sys
from typing import TYPE_CHECKING

from garrison_harness.load.calibration import DURATION, MOST_USERS, calibrating
from garrison_harness.load.plan import Plan, Stage
from garrison_harness.running import running
from garrison_harness.target import parse_target
from tests.harness.load.command_line import wait_for
from tests.harness.load.recorded import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.load.command_line import Command

NOTHING = [sys.executable, "-P", "-m", "garrison_harness.load.null_server", "{port}"]


def test_server_that_does_nothing_answers_every_request() -> None:
    """Requests on one connection, in one piece or cut anywhere, have a reply each."""
    request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    with running(parse_target(NOTHING)) as up, socket.create_connection((up.host, up.port), 5) as connection:
        connection.sendall(request + request + request[:10])
        found = b""
        while found.count(b"\r\n\r\nok") < 2:
            found += connection.recv(4096)
        connection.sendall(request[10:])
        while found.count(b"\r\n\r\nok") < 3:
            found += connection.recv(4096)
    assert found.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert found.count(b"content-length: 2\r\n") == 3


def test_calibration_asks_with_the_users_of_the_run() -> None:
    """Its users are as many as those of the run, up to a bound, and do nothing but ask."""
    ramp = Plan(
        users=3, spawn_rate=1, duration=600, stages=(Stage(seconds=600, level=3),), locustfile="journeys.py",
        paths=("/a", "/b"), expected=(404,), one_address=True, sample_every=0.05,
    )  # fmt: skip
    assert calibrating(ramp) == Plan(
        users=3, spawn_rate=3, duration=DURATION, grace=DURATION, one_address=True
    )
    assert calibrating(OPEN).users == MOST_USERS == OPEN.max_users
    assert calibrating(OPEN).rate is None
    assert calibrating(Plan(users=1000, duration=1)).users == MOST_USERS


def test_run_of_a_busy_generator_is_inconclusive(
    command: Command, url: str, locustfile: Callable[[str], str]
) -> None:
    """A locustfile that burns its core measures itself: exit status 4, what was measured, and what to do."""
    source = locustfile("""
import time
from locust import FastHttpUser, task

class Burner(FastHttpUser):
    @task
    def burn(self):
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass
        self.client.get("/")
""")
    ended = command.run(
        url, "--locustfile", source, "--users", "8", "--duration", "500ms", "--threshold", "avg<1us",
        "--threshold", "errors<50%", "--format", "json", calibrate=True,
    )  # fmt: skip
    ended.assert_one_line(4, "avg<1us was missed, but the generator was the limit: the load process was busy")
    found = json.loads(ended.stdout)
    assert (found["verdict"], found["complete"]) == ("inconclusive", True)
    assert [one["passed"] for one in found["thresholds"]] == [False, True]
    assert found["health"]["ceiling"] > 10
    assert found["health"]["limited"]


def test_interruption_during_the_calibration(command: Command, url: str) -> None:
    """Ctrl-C before the load itself: exit status 4, one line, no report, and no process left."""
    process = command.start(url, "--duration", "1m", calibrate=True)
    wait_for(lambda: any("locust_child" in line for line in command.marked().values()))
    process.send_signal(signal.SIGINT)
    ended = command.end()
    ended.assert_one_line(4, "garrison: interrupted\n")
    assert ended.stdout == ""
