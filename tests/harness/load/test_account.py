"""What the deltas of a run come to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from garrison_harness.load.account import Account
from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.delta import Delta
from garrison_harness.load.names import MOST_NAMES, OTHER_REQUESTS, merge_names, place
from garrison_harness.load.sample import Sample
from garrison_harness.load.stream import Follower, tell
from garrison_harness.load.tally import Tally

if TYPE_CHECKING:
    from pathlib import Path


def delta(
    at: float, *milliseconds: float, name: str = "GET /", users: int = 2, began: float = 100.0
) -> Delta:
    """A second with requests of these latencies."""
    tally = Tally()
    for latency in milliseconds:
        tally.reply(
            latency / 1000, status=500 if latency > 5 else 200, error="HTTP 500" if latency > 5 else None
        )
    return Delta(
        began=began,
        at=at,
        width=1.0,
        users=users,
        cpu=0.25,
        addresses=users,
        arrivals=Arrivals(due=3, late=2, dropped=1, starved=1),
        names={name: tally},
        tags={"read": tally},
        samples=[Sample(at=at, method="GET", path="/", status=200, headers=(("x-a", "b"),))],
    )


def account(*deltas: Delta) -> Account:
    """An account of them."""
    made = Account()
    for one in deltas:
        made.add(one)
    return made


def test_deltas_add_up_by_name_by_tag_and_by_second() -> None:
    """Every figure of the run is the sum of its seconds, and users are the most that there were."""
    made = account(delta(1.0, 1, 2, users=4), delta(2.0, 3, name="GET /b"), delta(3.0, 9))
    assert {name: tally.requests for name, tally in made.names.items()} == {"GET /": 3, "GET /b": 1}
    assert (made.tags["read"].requests, made.tally.requests, made.tally.errors) == (4, 4, 1)
    assert [one.tally.requests for one in made.series] == [2, 1, 1]
    assert (made.duration, made.cpu, made.users_peak, made.addresses) == (3.0, 0.75, 4, 4)
    assert made.rate == 4 / 3
    assert made.arrivals == Arrivals(due=9, late=6, dropped=3, starved=3)
    assert [sample.at for sample in made.samples] == [1.0, 2.0, 3.0]


def test_merged_processes_equal_one_that_did_everything() -> None:
    """Counts and histograms of two load processes add up without loss."""
    left = account(delta(1.0, 1, 2), delta(2.0, 7))
    left.merge(account(delta(1.0, 3, began=99.5), delta(2.0, 4, name="GET /b", began=99.5)))
    assert left.tally == account(delta(1.0, 1, 2), delta(2.0, 7), delta(2.0, 3), delta(2.0, 4)).tally
    assert {name: tally.requests for name, tally in left.names.items()} == {"GET /": 4, "GET /b": 1}
    assert (left.duration, left.cpu, left.users_peak, left.addresses) == (2.0, 1.0, 4, 4)
    assert left.began == 99.5
    assert left.arrivals.due == 12
    assert [one.tally.requests for one in left.series] == [3, 2]


def test_account_survives_json() -> None:
    """An account that went through JSON is the same."""
    made = account(delta(1.0, 1, 2), delta(2.0, 9))
    assert Account.from_record(json.loads(json.dumps(made.to_record()))) == made


def test_names_are_bounded() -> None:
    """A locustfile that names each request differently does not fill the memory, and loses no request."""
    names: dict[str, Tally] = {}
    for number in range(MOST_NAMES + 20):
        place(names, f"GET /{number}").reply(0.001, status=200)
    assert len(names) == MOST_NAMES + 1
    assert names[OTHER_REQUESTS].requests == 20
    merge_names(names, {"GET /new": names["GET /0"]})
    assert (len(names), names[OTHER_REQUESTS].requests) == (MOST_NAMES + 1, 21)


def test_stream_is_followed_while_it_is_written(tmp_path: Path) -> None:
    """Each look brings what is new; a line that is not whole yet waits, and one that never will is lost."""
    path = tmp_path / "stream.jsonl"
    follower = Follower(path)
    assert follower.deltas() == []
    tell(path, delta(1.0, 1))
    assert follower.deltas() == [delta(1.0, 1)]
    line = delta(2.0, 2).to_line()
    for part, expected in ((line[:40], []), (line[40:], [delta(2.0, 2)]), (line[:-9], [])):
        with path.open("a", encoding="utf-8") as stream:
            stream.write(part)
        assert follower.deltas() == expected
