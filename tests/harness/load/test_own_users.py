"""Locustfiles: what their users say counts, and what cannot be used is explained."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan
from garrison_harness.running import running
from garrison_harness.target import UsageFault, parse_target
from tests.harness.load.asking import callers

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.account import Account
    from garrison_harness.load.forks import Forks
    from tests.harness.load.command_line import Command

    Run = Callable[[Plan], Account]

PICKY = """
from locust import User, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--a", required=True)

class Picky(User):
    @task
    def choose(self): ...
"""


def test_locustfile_decides_what_an_error_is(run: Run, url: str, locustfile: Callable[[str], str]) -> None:
    """What a task calls a success or a failure counts as that; exceptions, listeners and own options work."""
    source = locustfile("""
from locust import FastHttpUser, constant, events, task

@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--thing", default="thing")

@events.init.add_listener
def prepare(environment, **event):
    environment.prepared = f"no such {environment.parsed_options.thing}"

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
    tally = run(Plan(users=2, duration=0.4, expected=(418,), locustfile=source)).tally
    assert set(tally.statuses) == {200, 418, 429, 500}
    assert tally.kinds.keys() == {
        "not what it should be", "expected, but not here", "in a task: LookupError: no such thing",
    }  # fmt: skip
    assert tally.kinds["not what it should be"] == tally.statuses[200]
    assert tally.kinds["expected, but not here"] == tally.statuses[418]
    assert tally.examples["not what it should be"] == ["/opinion"]
    assert tally.examples["expected, but not here"] == ["/status/418"]
    assert "in a task: LookupError: no such thing" not in tally.examples
    assert tally.limited == tally.statuses[429]
    assert callers(url, "opinion") == ["127.0.1.1", "127.0.1.2"]


def test_common_headers_go_with_the_requests_of_every_kind_of_user(
    run: Run, locustfile: Callable[[str], str]
) -> None:
    """`--header` is sent by Locust's slower users too, beside the headers that a locustfile sets itself."""
    source = locustfile("""
from locust import HttpUser, constant, task

class Plain(HttpUser):
    wait_time = constant(0.05)

    def on_start(self):
        self.client.headers["X-Own"] = "1"

    @task
    def look(self):
        with self.client.get("/headers", catch_response=True) as reply:
            sent = reply.request.headers
            if (sent.get("X-Tenant"), sent.get("X-Own")) != ("7", "1"):
                reply.failure("headers are missing")
""")
    tally = run(Plan(users=1, duration=0.3, headers=(("X-Tenant", "7"),), locustfile=source)).tally
    assert (tally.requests > 0, tally.errors) == (True, 0)


def test_load_shape_of_a_locustfile_is_kept(run: Run, url: str, locustfile: Callable[[str], str]) -> None:
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
    account = run(Plan(users=1, duration=60, locustfile=source))
    assert (account.addresses, account.users_peak) == (3, 3)
    assert account.duration < 60
    assert callers(url, "walk") == ["127.0.1.1", "127.0.1.2", "127.0.1.3"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import locust\n\nno_such_name\n", ["did not import: NameError", "(line 3)", "mend it"]),
        ("raise SystemExit\n", ["did not import: SystemExit", "(line 1)"]),
        (
            PICKY,
            ["options of", "the following arguments are required: --a", "mend it"],
        ),
        ("from locust import FastHttpUser\n", ["has no user", "with a @task"]),
        ("from locust import User\nclass Lazy(User): ...\n", ["Lazy has no @task"]),
    ],
)
def test_locustfile_that_cannot_be_used_is_explained(
    run: Run, locustfile: Callable[[str], str], source: str, words: list[str]
) -> None:
    """One line that names the file, the fault and the fix."""
    with pytest.raises(UsageFault) as fault:
        run(Plan(duration=1, locustfile=locustfile(source)))
    said = str(fault.value)
    assert "\n" not in said
    for word in ("journeys.py", *words):
        assert word in said


def test_locustfile_that_cannot_be_used_is_a_usage_error(
    command: Command, url: str, locustfile: Callable[[str], str]
) -> None:
    """Exit status 2, that line on stderr, and no report."""
    ended = command.run_here(url, "--locustfile", locustfile("no_such_name\n"))
    ended.assert_one_line(2, "journeys.py", "did not import: NameError")
    assert ended.stdout == ""


def test_requests_that_are_sent_again_are_told(load_processes: Forks) -> None:
    """A target that closes connections on requests looks free of errors, as the client asks once more."""
    dropping = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection = listening.accept()[0]
    try:
        if connection.recv(9000):
            connection.sendall(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")
            connection.recv(9000)
    except OSError:
        pass
    connection.close()
"""
    with running(parse_target([sys.executable, "-c", dropping, "{port}"])) as up:
        tally = generate(Plan(users=1, duration=0.2).at(up.base_url), up, forks=load_processes).account.tally
    assert tally.errors == 0
    assert 0 < tally.requests - tally.resent <= 2, "each reply ends its connection, but for the first"
