"""How a load is shared out among processes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load
from garrison_harness.load.driving.clocks import Reading, ahead
from garrison_harness.load.plan import Plan, Stage
from garrison_harness.load.schedule import due_times, stages_of
from tests.harness.load.recorded import OPEN


def test_shares_of_all_processes_are_the_whole() -> None:
    """Users that do not divide evenly are not lost, and nobody has two more than another."""
    plan = Plan(duration=1.0, workers=3)
    shares = [replace(plan, index=number).share(11) for number in range(3)]
    assert (sum(shares), max(shares) - min(shares)) == (11, 1)


def test_arrivals_of_all_processes_are_those_of_one() -> None:
    """Each takes every third arrival, so that all together stay evenly spaced, also while the rate rises."""
    for plan in (OPEN, replace(OPEN, stages=(Stage(seconds=2.0, level=1000.0),))):
        stages = stages_of(plan)
        shared = [time for first in range(3) for time in due_times(stages, first=first, stride=3)]
        assert sorted(shared) == list(due_times(stages))


def test_plan_goes_to_a_worker_unchanged() -> None:
    """A worker on another machine reads in the plan what the master wrote."""
    plan = replace(OPEN, role="worker", workers=4, index=3, bind=("192.0.2.1", 5557), mix=(("api", "", 2),))
    assert Plan.from_text(plan.to_text()) == plan


def test_clock_of_the_master_is_read_where_the_answer_was_fastest() -> None:
    """A question that got stuck on its way does not spoil when a worker begins."""
    readings = [
        Reading(asked=10.0, told=1010.9, heard=11.0),
        Reading(asked=20.0, told=1020.05, heard=20.1),
        Reading(asked=30.0, told=1030.0, heard=32.0),
    ]
    assert ahead(readings) == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--worker", "http://127.0.0.1:1/"], "TARGET does not go with --worker"),
        (["--worker", "--users", "3"], "--users does not go with --worker: say it to the master"),
        (["--master-port", "5557", "a:b"], "--master-port tells a worker"),
        (["--bind", "127.0.0.1:5557", "a:b"], "--bind is for a master"),
        (["--max-wait", "5s", "a:b"], "--max-wait is for masters and workers"),
        (["--master", "--workers", "2", "a:b"], "--workers starts load processes here"),
        (["--master", "--profile", "stress", "a:b"], "--profile stress takes many runs"),
        (["--master", "--harden", "--compare", "bare", "a:b"], "--compare bare takes many runs"),
        (["--master", "--quota", "5/minute", "a:b"], "--quota counts clients by their source address"),
        (["--workers", "3", "--rate", "9", "--max-users", "2", "a:b"], "--max-users 2 are too few for 3"),
        (["--master", "--bind", "::1:5557", "a:b"], "expected an IPv4 address and a port"),
        (["--master", "--bind", "127.0.0.1:70000", "a:b"], "expected an IPv4 address and a port"),
    ],
)
def test_options_that_contradict_each_other(words: list[str], told: str) -> None:
    """What cannot be meant is said in one line, with what to do, before anything starts."""
    ended = CliRunner().invoke(load, words)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert told in ended.stderr
