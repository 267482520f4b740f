"""What several load processes tell becomes one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.delta import Delta
from garrison_harness.load.joining import Joining
from garrison_harness.load.sample import Sample
from tests.harness.load.recorded import tally

if TYPE_CHECKING:
    from garrison_harness.load.delta import Ended


def told(
    at: float, *latencies: float, width: float = 1.0, ended: Ended = "running", cpu: float = 0.5
) -> Delta:
    """What a process with two users and an address for each tells of requests with these latencies."""
    return Delta(
        ended=ended, began=100.0, at=at, width=width, users=2, addresses=2, cpu=cpu, waited=0.1,
        arrivals=Arrivals(due=len(latencies), late=1, dropped=1, starved=1),
        names={"GET /": tally(*latencies)} if latencies else {},
        tags={"read": tally(*latencies)} if latencies else {},
        samples=[Sample(at=at - 0.5, method="GET", path="/", status=200)],
    )  # fmt: skip


def test_second_is_told_once_all_have_told_of_it() -> None:
    """A process that is ahead waits for the others, and its seconds keep their place."""
    joining = Joining(2)
    joining.tell(0, told(1.0, 1))
    joining.tell(0, told(2.0, 2))
    assert joining.ready() == []
    joining.tell(1, told(1.01, 3, 4))
    (first,) = joining.ready()
    assert (first.at, first.width, first.users, first.addresses) == (1.01, 1.01, 4, 4)
    assert first.names["GET /"].requests == first.tags["read"].requests == 3
    assert first.arrivals == Arrivals(due=3, late=2, dropped=2, starved=2)
    assert [sample.at for sample in first.samples] == [0.5, 0.51]
    assert joining.ready() == []


def test_joined_latencies_are_those_of_all_processes() -> None:
    """No latency is lost or rounded on the way: the joined histogram is that of one process that saw all."""
    joining, all_latencies = Joining(3), []
    for number in range(3):
        latencies = [0.1 + 7.3 * number * one for one in range(1, 200)]
        all_latencies += latencies
        joining.tell(number, told(1.0, *latencies))
    (joined,) = joining.ready()
    whole = Delta.from_line(joined.to_line())
    assert whole.names["GET /"].to_record() == tally(*all_latencies).to_record()


def test_end_of_one_process_does_not_hold_up_the_others() -> None:
    """Processes end within milliseconds of each other: time never runs back, and no user is lost."""
    joining = Joining(2)
    joining.tell(0, told(1.0, 1, ended="finished"))
    joining.tell(1, told(1.0, 1))
    joining.tell(1, told(1.3, 1, width=0.3))
    joining.tell(1, told(1.29, width=0.0, ended="finished"))
    seconds = joining.ready()
    assert [(one.at, round(one.width, 3), one.users) for one in seconds] == [
        (1.0, 1.0, 4), (1.3, 0.3, 4), (1.3, 0.0, 4),
    ]  # fmt: skip
    assert {one.ended for one in seconds} == {"running"}
    assert joining.over


def test_what_comes_after_the_end_of_a_process_is_not_told() -> None:
    """A process that was given up is not counted twice when it turns up again."""
    joining = Joining(2)
    joining.tell(0, told(1.0, 1))
    joining.close(1)
    assert sum(one.names["GET /"].requests for one in joining.ready()) == 1
    joining.tell(1, told(1.0, 1))
    joining.close(0)
    assert joining.ready() == []
    assert joining.over


def test_busiest_process_is_what_counts() -> None:
    """One process at its limit makes a run doubtful, however idle the others are."""
    joining, account = Joining(2), Account()
    joining.tell(0, told(1.0, 1, cpu=0.05))
    joining.tell(1, told(1.0, 1, cpu=0.85))
    for delta in joining.ready():
        account.add(Delta.from_line(delta.to_line()))
    (second,) = account.series
    assert round(second.busiest, 3) == 0.95
    assert (account.busiest.cpu, account.cpu) == (0.85, 0.9)
    read = Account.from_record(account.to_record())
    assert (read.busiest, next(iter(read.series)).busiest) == (account.busiest, second.busiest)
