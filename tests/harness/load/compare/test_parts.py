"""A run that had no rounds is cut into parts, and nothing of it is lost."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison_harness.load.account import Account
from garrison_harness.load.compare.cpu import CpuTrack, spent_between
from garrison_harness.load.compare.parts import MOST_PARTS, cut
from garrison_harness.load.compare.slices import merged
from garrison_harness.load.delta import Delta
from garrison_harness.load.tally import Tally
from garrison_harness.process import Child
from garrison_harness.running import Running

if TYPE_CHECKING:
    from pathlib import Path


def account(*seconds: float) -> Account:
    """What was seen of a run that told of itself after each of these times; one request ends in each."""
    made, before = Account(), 0.0
    for at in seconds:
        tally = Tally()
        tally.reply(at, status=200)
        made.add(Delta(at=at, width=at - before, names={"GET /": tally}))
        before = at
    return made


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=60))
def test_parts_hold_the_whole_run(widths: list[float]) -> None:
    """Every request and every second is in one part, of which there are ten at most."""
    moments = [sum(widths[: place + 1]) for place in range(len(widths))]
    run = account(*moments)
    parts = cut(run.series)
    assert 1 <= len(parts) <= MOST_PARTS
    whole = merged(parts)
    assert whole.requests == len(widths)
    assert whole.latency == run.tally.latency
    assert whole.duration == pytest.approx(moments[-1])


def test_parts_are_of_about_the_same_length() -> None:
    """Ten parts of two seconds from twenty; what a run is late in telling makes no part of its own."""
    parts = cut(account(*range(1, 21), 20.003).series)
    assert [part.requests for part in parts] == [2] * 9 + [3]
    assert [part.duration for part in parts] == pytest.approx([2.0] * 9 + [2.003])


def test_a_short_run_has_a_part_for_each_second() -> None:
    """No part is shorter than what the run told of at once."""
    assert len(cut(account(1, 2, 3).series)) == 3
    assert len(cut(account(1, 2, 3, 4, 5, 5.003).series)) == 5
    assert len(cut(account(0.4).series)) == 1
    assert cut(Account().series) == ()


def test_cpu_of_a_part_is_what_the_target_used_in_it(tmp_path: Path) -> None:
    """Read between two moments, and on the line between readings elsewhere."""
    busy = "import time\nwhile time.process_time() < 0.5: pass\ntime.sleep(60)"
    child = Child([sys.executable, "-c", busy], logs=tmp_path, environment={})
    try:
        track = CpuTrack(Running(host="127.0.0.1", port=1, child=child))
        run = Account()
        while (child.cpu() or 0.0) < 0.5:
            time.sleep(0.05)
        for at in (2.0, 4.0):
            run.add(Delta(at=at, width=2.0))
            track.see(run, Delta())
        total = track.used(0.0, 4.0)
        assert total is not None
        assert 0.4 < total < 5
        assert sum(one.cpu or 0.0 for one in cut(run.series, track)) == pytest.approx(total)
        assert track.used(0.0, 1.0) == pytest.approx((track.used(0.0, 2.0) or 0.0) / 2)
        assert track.used(3.0, 99.0) == pytest.approx(0, abs=0.2), "it sleeps by then"
    finally:
        child.end(grace=0)


def test_cpu_of_a_url_is_not_known() -> None:
    """What was not started here cannot be read."""
    run = account(1.0, 2.0)
    track = CpuTrack(Running(host="127.0.0.1", port=1))
    track.see(run, Delta())
    assert [part.cpu for part in cut(run.series, track)] == [None, None]


@pytest.mark.parametrize(
    ("before", "after", "spent"), [(1.0, 3.5, 2.5), (1.0, 1.0, 0.0), (2.0, 1.0, None), (None, 1.0, None)]
)
def test_cpu_of_a_process_that_ended_is_not_guessed(
    before: float | None, after: float | None, spent: float | None
) -> None:
    """A sum that shrank, because a worker is gone, says nothing."""
    assert spent_between(before, after) == spent
