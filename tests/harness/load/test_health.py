"""Whether the generator was the limit, from what it told and from the machine."""

from __future__ import annotations

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.delta import Delta
from garrison_harness.load.health import assess
from garrison_harness.load.machine import CpuTimes, read_cpu_times
from garrison_harness.load.plan import Plan, Stage
from garrison_harness.load.spent import Spent
from tests.harness.load.recorded import CLOSED, OPEN, account, tally


@pytest.mark.parametrize(
    ("cpu", "limited"),
    [
        ([0.5] * 10, False),
        ([0.95] * 10, True),
        ([0.95] + [0.5] * 9, False),
        ([0.95] * 2 + [0.5] * 8, True),
        ([0.9] * 10, False),
    ],
)
def test_busy_core_is_a_limit(cpu: list[float], limited: bool) -> None:
    """More than 90 % of a core for more than a tenth of the time."""
    health = assess(account(duration=10.0, cpu=cpu), CLOSED)
    assert health.limited == limited
    assert health.cpu == pytest.approx(sum(cpu) / 10)
    if limited:
        assert "the load process was busy for" in health.reasons[0]
        assert "of a core; take fewer users" in health.reasons[0]


def test_load_process_that_has_no_core_is_a_limit() -> None:
    """On a machine that is busy with others, it waits for a core instead of using one."""
    health = assess(account(cpu=[0.4] * 10, waited=0.55), CLOSED)
    assert health.waited == pytest.approx(0.55)
    assert "busy for 100% of the time: it used 40% of a core, and waited for one for 55%" in health.reasons[0]
    assert health.reasons[0].endswith("; end what else runs on this machine, or load from another")
    assert not assess(account(cpu=[0.4] * 10, waited=0.45), CLOSED).limited


def test_every_load_process_has_a_core() -> None:
    """Two of them may use more than one core together; one that has none left makes the run doubtful."""
    two = Plan(users=3, spawn_rate=3, duration=2.0, workers=2)
    even, uneven = (_of_two(0.8, 0.8), _of_two(0.65, 0.95))
    assert not assess(even, two).limited
    assert assess(even, two).cpu == pytest.approx(0.8)
    assert assess(uneven, two).cpu == pytest.approx(0.95)
    assert assess(uneven, two).reasons[0].startswith("the busiest of 2 load processes was busy for 100%")


def _of_two(*shares: float) -> Account:
    """What two load processes used of a core each in two seconds."""
    seen, spent = Account(), [Spent(cpu=2 * share) for share in shares]
    seen.add(Delta(at=2.0, width=2.0, cpu=2 * sum(shares), processes=spent, names={"GET /": tally(1)}))
    return seen


@pytest.mark.parametrize(
    ("arrivals", "limited", "noted"),
    [
        (Arrivals(due=10_000), False, False),
        (Arrivals(due=10_000, late=10), False, False),
        (Arrivals(due=10_000, late=11), True, False),
        (Arrivals(due=10_000, late=6, dropped=5), True, False),
        (Arrivals(due=25, late=1), False, False),
        (Arrivals(due=1_000, late=9), False, False),
        (Arrivals(due=1_000, late=10), True, False),
        (Arrivals(due=10_000, late=400, dropped=100, starved=500), False, True),
        (Arrivals(due=10_000, late=400, dropped=100, starved=400), True, True),
    ],
)
def test_late_arrivals_are_a_limit_only_where_users_were_free(
    arrivals: Arrivals, limited: bool, noted: bool
) -> None:
    """Arrivals that wait for a target which keeps all users waiting are no fault of the generator."""
    health = assess(account(arrivals=arrivals), OPEN)
    assert (health.limited, bool(health.notes)) == (limited, noted)
    if limited:
        assert "were not started in time although users were free: lower --rate" in health.reasons[0]
    if noted:
        assert "found all 50 users waiting for replies: the target does not keep up" in health.notes[0]


@pytest.mark.parametrize(("stolen", "limited"), [(None, False), (0.05, False), (0.051, True)])
def test_stolen_time_is_a_limit(stolen: float | None, limited: bool) -> None:
    """More than 5 % of the CPU time that the host of the machine gave to others."""
    health = assess(account(), CLOSED, stolen=stolen)
    assert health.limited == limited
    if limited:
        assert "took 5.1% of its CPU time away: run again" in health.reasons[0]


@pytest.mark.parametrize(("ceiling", "limited"), [(None, False), (20.0, False), (14.0, True)])
def test_rate_near_the_ceiling_is_a_limit(ceiling: float | None, limited: bool) -> None:
    """More than 70 % of what the generator reaches with a server that does nothing."""
    health = assess(account({"GET /": tally(*[1] * 20)}), CLOSED, ceiling=ceiling)
    assert health.limited == limited
    if limited:
        assert "10 requests/s are 71% of the 14/s that the load process reaches here" in health.reasons[0]


def test_rate_above_the_ceiling_is_no_share_of_it() -> None:
    """What was tried while the machine was busier reached less than the run did."""
    health = assess(account({"GET /": tally(*[1] * 20)}), CLOSED, ceiling=9.0)
    assert health.reasons[0].startswith("10 requests/s are no less than the 9/s that the load process")


def test_rate_that_changes_is_judged_at_its_peak() -> None:
    """A ramp is at its end what its mean is not."""
    seen = account({"GET /": tally(*[1] * 20)}, duration=10.0, cpu=[0.1] * 10)
    ramp = Plan(users=3, duration=10.0, stages=(Stage(seconds=10.0, level=3),))
    assert not assess(seen, CLOSED, ceiling=25.0).limited
    assert assess(seen, ramp, ceiling=25.0).limited


def test_nothing_measured_is_no_limit() -> None:
    """A run that was cut short at once has a health all the same."""
    health = assess(account({}, duration=0.0), OPEN)
    assert (health.limited, health.notes, health.cpu) == (False, (), 0.0)


def test_health_has_all_its_figures_in_json() -> None:
    """Whoever reads the JSON can judge for themselves."""
    seen = account(arrivals=Arrivals(due=100, late=10, dropped=2, starved=1))
    assert assess(seen, OPEN, stolen=0.01, ceiling=9000.0).to_record() == {
        "cpu": 0.5, "waited": 0.0, "busy": 0.0, "late": 11, "starved": 1, "stolen": 0.01, "ceiling": 9000.0,
        "limited": True,
        "reasons": [("11 of 100 arrivals were not started in time although users were free: lower --rate,"
                    " load with more --workers, or load from a machine with more free cores")],
        "notes": [("1 of 100 arrivals found all 50 users waiting for replies: the target does not keep up"
                  " with this rate, or --max-users is too low for it")],
    }  # fmt: skip


def test_stolen_share_is_that_of_the_time_between_two_readings() -> None:
    """User, nice, system, idle, iowait, irq, softirq and steal; guest time is counted in user time."""
    before = read_cpu_times("cpu  100 0 100 700 50 0 0 50 30 0\ncpu0 1 2 3\n")
    after = read_cpu_times("cpu  150 0 150 760 60 10 10 60 60 0\n")
    assert (before, after) == (CpuTimes(total=1000, stolen=50), CpuTimes(total=1200, stolen=60))
    assert before is not None
    assert after is not None
    assert before.stolen_until(after) == pytest.approx(0.05)
    assert before.stolen_until(before) == 0.0


@pytest.mark.parametrize("stat", ["", "cpu", "cpu  1 2 3 4 5 6 7", "cpu  a b c d e f g h"])
def test_system_that_tells_no_steal_is_no_fault(stat: str) -> None:
    """Other systems, and old kernels, have no such figure."""
    assert read_cpu_times(stat) is None


def test_this_machine_tells_its_times() -> None:
    """The real file is read as it is."""
    times = read_cpu_times()
    assert times is not None
    assert times.total > times.stolen >= 0
