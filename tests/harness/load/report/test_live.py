"""What is to be seen while a run goes on."""

from __future__ import annotations

import io
import os
import pty
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.account import Account
from garrison_harness.load.plan import Plan
from garrison_harness.load.report.live import Live
from garrison_harness.load.report.live_rows import clock, live_rows, progress_line
from garrison_harness.load.report.row import plain
from garrison_harness.load.report.spark import PLAIN, sparkline
from garrison_harness.load.thresholds import parse_threshold
from tests.harness.load.report.recorded import account, delta

if TYPE_CHECKING:
    from collections.abc import Callable

PLAN = Plan(base_url="http://127.0.0.1:8000", users=8, rate=40.0, duration=60.0)
THRESHOLDS = [parse_threshold(text) for text in ("p95<1us", "errors<5%", "late<50%", "diff(p95)<1ms")]


def view(seen: Account, *, levels: str = PLAIN) -> list[str]:
    """The view as text."""
    return [plain(row) for row in live_rows(seen, PLAN, THRESHOLDS, levels=levels)]


def on_terminal(show: Callable[[Live], None], encoding: str = "utf-8") -> str:
    """What a terminal was sent."""
    master, slave = pty.openpty()
    try:
        with (
            os.fdopen(slave, "w", encoding=encoding) as stream,
            Live(PLAN, THRESHOLDS, lines=True, stream=stream) as live,
        ):
            show(live)
            # A terminal holds 4 KiB for nobody to read.
            first = os.read(master, 1 << 16)
        return (first + read_all(master)).decode(encoding)
    finally:
        os.close(master)


def read_all(master: int) -> bytes:
    """What is left to read of a terminal that is closed on the other side."""
    try:
        return os.read(master, 1 << 16)
    except OSError:
        return b""


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can do what terminals do."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75.9, "1:15"), (3725, "1:02:05")])
def test_time_is_told_as_by_a_clock(seconds: float, text: str) -> None:
    """Minutes and seconds, and hours where there are any."""
    assert clock(seconds) == text


def test_a_sparkline_shows_the_course_of_values() -> None:
    """From nought to the highest; what was not measured is a blank, and all noughts are low."""
    assert sparkline([0, 1, None, 4, 8]) == "▁▂ ▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


def test_the_view_tells_of_the_last_seconds_and_of_the_whole() -> None:
    """Rate and latency are those of now, counts and thresholds those of the run so far."""
    lines = view(account(20))
    assert lines[0].startswith("Load on http://127.0.0.1:8000  ########____")
    assert lines[0].endswith("0:20 of 1:00")
    assert lines[1].startswith("  rate            40.0/s  ####")
    assert lines[3].endswith("in the last 5 s")
    assert lines[4] == "  users     7   requests 800   errors 15 (1.87%)"
    assert lines[5] == "  statuses  200: 584, 201: 195, 429: 7, 500: 11"
    assert lines[6] == "  arrivals  800 due, 18 late, 0 dropped"
    assert [line.split()[:2] for line in lines[7:]] == [
        ["FAIL", "p95<1us"],
        ["PASS", "errors<5%"],
        ["PASS", "late<50%"],
    ]


def test_what_was_slow_before_is_not_slow_now() -> None:
    """A stall a minute ago is in the sparkline only."""
    slow, quick = account(3, slow=1000.0), account(0)
    for at in range(4, 14):
        slow.add(delta(float(at), slow=0.01))
        quick.add(delta(float(at), slow=0.01))
    assert view(slow)[3] == view(quick)[3]


def test_a_threshold_of_which_nothing_is_known_yet_is_no_failure() -> None:
    """Before the first reply nothing has gone wrong."""
    begun = Account()
    begun.add(delta(1.0, rate=0))
    assert [line.split()[0] for line in view(begun)[-3:]] == ["----", "----", "----"]


def test_the_view_waits_for_the_load_process() -> None:
    """Until it tells something, that is what is told."""
    assert view(Account())[1:] == ["  the load process is starting"]


def test_a_terminal_sees_the_run_and_keeps_nothing_of_it() -> None:
    """The view is drawn anew for each second, and taken away at the end."""
    seen = on_terminal(lambda live: live.see(account(20)))
    assert "0:20 of 1:00" in seen
    assert "█" in seen
    assert "garrison:" not in seen
    # As many lines are erased in the end as were there.
    assert seen.rstrip().endswith("\x1b[2K")


def test_a_terminal_without_blocks_gets_other_letters() -> None:
    """Where its encoding is not Unicode, nothing is sent that it does not have."""
    assert "####" in on_terminal(lambda live: live.see(account(20)), encoding="ascii")


def test_without_a_terminal_nothing_is_shown_unless_it_is_asked_for() -> None:
    """A log has no use for what is drawn anew."""
    page = io.StringIO()
    with Live(PLAN, THRESHOLDS, stream=page) as live:
        live.see(account(20))
    assert page.getvalue() == ""


def test_a_log_gets_a_line_every_five_seconds() -> None:
    """Each is whole, and tells how far the run is."""
    page, seen = io.StringIO(), Account()
    with Live(PLAN, THRESHOLDS, lines=True, stream=page) as live:
        for at in range(1, 13):
            seen.add(delta(float(at)))
            live.see(seen)
    lines = page.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["garrison: 0:05 of 1:00", "garrison: 0:10 of 1:00"]
    assert lines[0].startswith("garrison: 0:05 of 1:00, 40.0/s, p95 ")
    assert lines[0].endswith(" dropped")


def test_a_run_goes_on_when_nobody_looks_any_more() -> None:
    """A reader of the log who has gone away ends nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    seen, stream = Account(), os.fdopen(writer, "w")
    with Live(PLAN, THRESHOLDS, lines=True, stream=stream) as live:
        for at in range(1, 13):
            seen.add(delta(float(at)))
            live.see(seen)
    # What could not be written is tried once more.
    with suppress(BrokenPipeError):
        stream.close()

    assert seen.duration == 12


def test_a_terminal_that_is_closed_ends_no_run() -> None:
    """The view is given up, and the rest of the run is not shown."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        live = Live(PLAN, THRESHOLDS, stream=stream)
        with live:
            os.close(master)
            live.see(account(3))
            live.see(account(4))


def test_a_closed_model_has_no_arrivals_to_tell_of() -> None:
    """Nothing is late where nothing is due."""
    assert "late" not in progress_line(account(6, open_model=False), PLAN)
    assert not any("arrivals" in line for line in view(account(6, open_model=False)))


def test_who_listens_behind_the_view_is_heard() -> None:
    """What ends a run early still does."""
    with Live(PLAN, [], stream=io.StringIO()) as live:
        hear = live.before(lambda seen, told: f"{seen.duration:g} {told.at:g}")
        assert hear(account(3), delta(9.0)) == "3 9"
