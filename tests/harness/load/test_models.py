"""The closed and the open model against a real server: who asks when, and whose the waiting is.

A busy machine starts arrivals late, and what is still to be started at the end is dropped. So no test counts
on every request: what was due is exact, nothing is early, and what was not asked for was dropped.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.histogram import Histogram
from garrison_harness.load.plan import Plan, Stage
from garrison_harness.load.stress import explore
from garrison_harness.target import UsageFault
from tests.harness.load.asking import ask, calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.load.account import Account
    from garrison_harness.running import Running

    Run = Callable[[Plan], Account]


def test_arrivals_come_on_schedule(run: Run, up: Running) -> None:
    """As many as were asked for, none before its time, and from many addresses."""
    account = run(Plan(rate=100, duration=0.6, paths=("/on-schedule",)))
    asked, arrivals = calls(up.base_url, "on-schedule"), account.arrivals
    assert arrivals.due == 60
    assert 30 <= len(asked) == account.tally.requests == 60 - arrivals.dropped
    early = [number for number, (_, moment) in enumerate(asked) if moment < account.began + number / 100]
    assert not early
    assert len({address for address, _ in asked}) > 5


def test_latency_of_a_frozen_server_counts_from_the_intended_time(run: Run, up: Running) -> None:
    """While the server is frozen arrivals go on, and the report shows what they had to wait."""

    def freeze() -> None:
        while not calls(up.base_url, "frozen"):
            time.sleep(0.02)
        ask(up.base_url, "/stall/0.5")

    freezer = threading.Thread(target=freeze)
    freezer.start()
    account = run(Plan(rate=100, duration=1.5, paths=("/frozen",)))
    freezer.join()
    (stall,) = ask(up.base_url, "/stalls")
    # What an arrival waits at least: until the end of the freeze that it came into.
    truth = Histogram()
    for number in range(150 - account.arrivals.dropped):
        due = account.began + number / 100
        truth.record(max(0.0, stall[1] - due) if due >= stall[0] else 0.0)
    assert account.tally.requests == 150 - account.arrivals.dropped
    for percent in (85, 90, 95, 99, 100):
        assert account.tally.latency.quantile(percent) >= 0.95 * truth.quantile(percent), percent
    assert account.tally.latency.quantile(10) < stall[1] - stall[0], "others had nothing to wait for"
    assert account.users_peak > 20, "users were started for those who came meanwhile"
    assert account.arrivals.starved == 0


def test_arrivals_wait_where_no_more_users_may_be_started(run: Run, locustfile: Callable[[str], str]) -> None:
    """A backlog waits its turn, its latency counts from its time, and what never starts is counted."""
    twice = locustfile(
        "from locust import FastHttpUser, task\nclass Twice(FastHttpUser):\n    @task\n    def ask(self):\n"
        "        self.client.get('/wait/0.2')\n        self.client.get('/after')\n"
    )
    account = run(Plan(rate=200, max_users=3, duration=1.0, locustfile=twice))
    arrivals, tally = account.arrivals, account.names["GET /wait/0.2"]
    assert (arrivals.due, account.users_peak) == (200, 3)
    assert tally.requests + arrivals.dropped == 200
    assert 3 <= tally.requests <= 18, "three users, five times a second each"
    # All but the first of each user found everybody waiting for a reply.
    assert arrivals.late + arrivals.dropped >= arrivals.starved >= arrivals.late + arrivals.dropped - 3 > 150
    assert tally.latency.min > 200_000
    assert tally.latency.max > 2 * 200_000, "the last one waited for longer than its reply took"
    # The first request of a task counts from the arrival, the others from when they are sent.
    assert account.names["GET /after"].latency.quantile(60) < 0.2


LOCUSTFILE = """
import time
from locust import FastHttpUser, HttpUser, TaskSet, between, task

class Quick(FastHttpUser):
    weight = 3
    wait_time = between(5, 10)

    @task
    def look(self):
        self.client.get("/arrived")
        time.sleep(0.4)
        self.client.get("/then")

class Slow(HttpUser):
    @task
    class Inside(TaskSet):
        wait_time = between(5, 10)

        @task
        def stay(self):
            self.client.get("/wait/0.3")
            self.interrupt()
"""


def test_users_of_a_locustfile_take_the_arrivals(run: Run, locustfile: Callable[[str], str]) -> None:
    """One task each, by weight, whoever is busy, nested or slower, and whatever their wait time is."""
    account = run(Plan(rate=80, max_users=40, duration=0.8, locustfile=locustfile(LOCUSTFILE)))
    requests = {name: tally.requests for name, tally in account.names.items()}
    dropped = account.arrivals.dropped
    assert account.arrivals.due == 64
    assert requests["GET /arrived"] + requests["GET /wait/0.3"] == 64 - dropped
    assert 48 - dropped <= requests["GET /arrived"] <= 48
    assert 16 - dropped <= requests["GET /wait/0.3"] <= 16
    assert 0 < requests["GET /then"] < requests["GET /arrived"], "what would begin after the end does not"
    assert account.tally.errors == 0


def test_generator_that_is_late_says_so(run: Run, locustfile: Callable[[str], str]) -> None:
    """Tasks that keep the load process busy make arrivals late, which is not the target's doing."""
    busy = locustfile(
        "from gevent import monkey\nfrom locust import User, task\n"
        "sleep = monkey.get_original('time', 'sleep')\n"
        "class Busy(User):\n    @task\n    def block(self):\n        sleep(0.05)\n"
    )
    arrivals = run(Plan(rate=40, duration=0.5, locustfile=busy)).arrivals
    assert arrivals.due == 20
    assert arrivals.late + arrivals.dropped > 5
    assert arrivals.starved == 0


def test_users_follow_the_stages_of_the_closed_model(run: Run, up: Running) -> None:
    """Users come and go as a profile says."""
    stages = (Stage(seconds=0, level=2), Stage(seconds=0.5, level=2), Stage(seconds=0, level=6))
    plan = Plan(users=6, stages=(*stages, Stage(seconds=1.5, level=6)), duration=2.0)
    account = run(replace(plan, paths=("/wait/0.05",)))
    first: dict[str, float] = {}
    for address, moment in calls(up.base_url, "wait/0.05"):
        first.setdefault(address, moment)
    assert (len(first), account.users_peak) == (6, 6)
    assert all(moment > account.began + 0.5 for moment in sorted(first.values())[2:])


def test_load_shape_does_not_go_with_a_rate(run: Run, locustfile: Callable[[str], str]) -> None:
    """Two things that say how much load there is are one too many."""
    shaped = locustfile(
        "from locust import LoadTestShape, User, task\nclass Idle(User):\n    @task\n"
        "    def rest(self): ...\nclass Own(LoadTestShape):\n    def tick(self): return None\n"
    )
    with pytest.raises(UsageFault, match=r"the load shape Own, .* leave out --rate and --profile, or"):
        run(Plan(rate=5, duration=1, locustfile=shaped))


def test_search_raises_the_load_step_by_step(up: Running) -> None:
    """Each step that holds is followed by twice the load, and the report tells of the highest that held."""
    plan = replace(Plan(rate=6, max_users=2, duration=2.0, paths=("/wait/0.5",)), profile="stress")
    started = time.monotonic()
    found = explore(plan.at(up.base_url), up, [], steps=2)
    steps = found.capacity.steps
    assert steps[0].level == 0.375
    assert steps[1].level == (0.75 if steps[0].held else 0.375 / 4)
    assert found.plan.rate == (found.capacity.best or steps[-1]).level
    assert found.everything.tally.requests >= found.outcome.account.arrivals.due == 1
    assert found.everything.duration <= time.monotonic() - started
