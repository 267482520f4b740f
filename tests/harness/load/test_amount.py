"""How much load the options ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load
from garrison_harness.load.options.amount import UNBOUNDED_RATE, amount_of

if TYPE_CHECKING:
    from garrison_harness.load.plan import Plan


def amount(*words: str) -> Plan:
    """What these options ask for."""
    given: Any = load.make_context("load", ["shop:app", *words]).params
    return amount_of(given)


@pytest.mark.parametrize(
    ("words", "model", "peak", "duration"),
    [
        ([], "closed", 10, 10),
        (["--users", "3", "--duration", "1m"], "closed", 3, 60),
        (["--rate", "20"], "open", 20, 10),
        (["--profile", "ramp"], "closed", 50, 120),
        (["--profile", "ramp", "--users", "7", "--duration", "9s"], "closed", 7, 9),
        (["--profile", "spike", "--rate", "80"], "open", 80, 60),
        (["--profile", "stress"], "open", UNBOUNDED_RATE, 120),
        (["--profile", "stress", "--users", "64"], "closed", 64, 120),
        (["--profile", "stress", "--rate", "500"], "open", 500, 120),
    ],
)
def test_peak_and_length_are_the_profiles_unless_said_otherwise(
    words: list[str], model: str, peak: float, duration: float
) -> None:
    """`--users` or `--rate` choose the model and its peak, and `--duration` the length."""
    plan = amount(*words)
    assert (plan.model, plan.rate or plan.users, plan.duration) == (model, peak, duration)
    if plan.stages:
        assert max(stage.level for stage in plan.stages) == peak
        assert sum(stage.seconds for stage in plan.stages) == pytest.approx(duration)


def test_users_come_at_once_unless_said_otherwise() -> None:
    """The spawn rate and the bound of users have defaults that do not slow anything down."""
    assert (amount("--users", "30").spawn_rate, amount("--spawn-rate", "2").spawn_rate) == (30, 2)
    assert (amount("--rate", "5").max_users, amount("--rate", "5", "--max-users", "9").max_users) == (1000, 9)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--rate", "5", "--users", "3"], ["--users does not go with --rate", "--max-users"]),
        (["--rate", "5", "--spawn-rate", "3"], ["--spawn-rate does not go with --rate"]),
        (["--max-users", "5"], ["--max-users bounds the users of --rate"]),
        (["--profile", "ramp", "--spawn-rate", "3"], ["--spawn-rate does not go with --profile"]),
        (
            ["--profile", "stress", "--harden", "--compare", "bare"],
            ["--compare does not go with --profile stress"],
        ),
        (["--profile", "smok"], ["--profile", "'smok'", "smoke"]),
    ],
)
def test_amounts_that_contradict_are_one_line(words: list[str], expected: list[str]) -> None:
    """Exit status 2, before anything is started."""
    ended = CliRunner().invoke(load, ["shop:app", *words])
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    for text in expected:
        assert text in ended.stderr
