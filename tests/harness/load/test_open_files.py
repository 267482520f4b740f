"""A system that allows few open files, and so few connections: that is not the target's doing."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.forks import Forks, forks
from garrison_harness.load.generator import generate
from garrison_harness.load.plan import Plan
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.running import Running


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Load processes that may open 70 files each."""
    with forks(tmp_path_factory.mktemp("confined")) as made:
        resource.prlimit(made.child.pid, resource.RLIMIT_NOFILE, (70, 70))
        yield made


def test_more_users_than_there_can_be_connections_are_refused(up: Running, confined: Forks) -> None:
    """The line says how many files they need, and what can be done."""
    with pytest.raises(UsageFault, match=r"^21 users in one load process need 71 open files, .* allows 70: "):
        generate(Plan(users=21, duration=1).at(up.base_url), up, forks=confined)


def test_as_many_users_as_there_can_be_connections_have_one(up: Running, confined: Forks) -> None:
    """None of them fails for want of a file."""
    plan = Plan(users=20, spawn_rate=20, duration=0.3, paths=("/wait/0.05",))
    account = generate(plan.at(up.base_url), up, forks=confined).account
    assert (account.users_peak, account.tally.errors) == (20, 0)


def test_arrivals_that_find_no_connection_are_late_by_the_generators_doing(
    up: Running, confined: Forks
) -> None:
    """Users that may be started, and cannot be, are none that wait for the target."""
    plan = Plan(rate=100, max_users=100, duration=0.6, paths=("/wait/0.4",))
    account = generate(plan.at(up.base_url), up, forks=confined).account
    assert account.users_peak <= 20
    assert account.tally.errors == 0
    assert account.arrivals.late + account.arrivals.dropped > 10
    assert account.arrivals.starved == 0
