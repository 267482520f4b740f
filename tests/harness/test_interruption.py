"""However and whenever the tool is told to end, it does, and takes along what it started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness import interruption
from garrison_harness.interruption import termination_interrupts
from garrison_harness.process import Child
from garrison_harness.startup import wait_until_ready
from tests.harness.commands import processes_with, wait_until
from tests.neighbour import neighbour
from tests.ports import free_port

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TRACED = {"subprocess.py", "process.py", "startup.py"}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda one: one.name)
def test_a_signal_ends_the_next_wait(number: signal.Signals) -> None:
    """Nothing is raised where the signal arrives, and everything that waits ends with an interrupt."""
    before = signal.getsignal(number)
    with termination_interrupts():
        interruption.check()
        signal.raise_signal(number)

        assert interruption.noticed()
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
        with pytest.raises(KeyboardInterrupt):
            interruption.pause(60)
        with pytest.raises(KeyboardInterrupt):
            interruption.settle([Future()])

    assert not interruption.noticed()
    assert signal.getsignal(number) is before


def signal_later(seconds: float) -> None:
    """Tell the process to end after that time."""
    time.sleep(seconds)
    signal.raise_signal(signal.SIGTERM)


def test_a_wait_that_is_under_way_ends_too() -> None:
    """A signal that comes in the middle is noticed within moments."""
    with termination_interrupts(), ThreadPoolExecutor(1) as pool, neighbour() as beside:
        pool.submit(signal_later, 0.2)
        with pytest.raises(KeyboardInterrupt):
            interruption.pause(60)

        assert beside.seconds < 2


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """Under nohup the tool goes on when its terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with termination_interrupts():
            signal.raise_signal(signal.SIGHUP)

            assert not interruption.noticed()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_code_of_others_is_interrupted_at_once() -> None:
    """It looks at nothing of ours, so the signal raises there, and only there."""
    with termination_interrupts():
        with pytest.raises(KeyboardInterrupt), interruption.at_once():
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), interruption.at_once():
            pytest.fail("the code began, although the signal had come before")


def test_what_is_settled_raises_what_it_met() -> None:
    """The first failure comes out, and so does the end of the time."""
    with ThreadPoolExecutor(1) as pool:
        interruption.settle([pool.submit(int)], timeout=5)
        with pytest.raises(ValueError, match="many"):
            interruption.settle([pool.submit(int, "many")])
    with pytest.raises(TimeoutError):
        interruption.settle([Future()], timeout=0.1)


def test_who_insists_does_not_wait_for_an_orderly_end(tmp_path: Path) -> None:
    """A second signal ends the patience with a target that does not want to stop."""
    child = Child(["sh", "-c", "trap '' TERM; echo ready; sleep 60"], logs=tmp_path, environment={})
    assert wait_until(lambda: child.stdout_path.read_text() == "ready\n")
    with termination_interrupts(), neighbour() as beside:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        child.end(grace=30)

        assert beside.seconds < 2
    assert child.exit_status() is not None


def lines_run(directory: Path) -> list[tuple[str, int]]:
    """The lines of code that start, watch and end a process, each once."""
    found: dict[tuple[str, int], None] = {}

    def trace(frame: FrameType, event: str, _: object) -> object:
        file = Path(frame.f_code.co_filename).name
        if file not in TRACED:
            return None
        if event == "line":
            found[file, frame.f_lineno] = None
        return trace

    watched(directory, trace, "")
    return list(found)


def watched(directory: Path, trace: object, mark: str) -> None:
    """Start a process that never answers, wait a moment for it, and end it, under a trace."""
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        child = Child(["sh", "-c", f"sleep 60 # {mark}"], logs=directory, environment={})
        try:
            wait_until_ready(child, free_port(), 0.06)
        finally:
            child.end()
    finally:
        sys.settrace(None)


@linux_only
def test_a_signal_at_any_line_leaves_nothing_behind(tmp_path: Path) -> None:
    """Wherever it comes between the start of a process and its end, no lock stays held and nothing runs on.

    A handler that raises leaves the lock of `subprocess.Popen.poll` held at one of these lines, and then
    nobody ever learns that the process has ended.
    """
    places = lines_run(tmp_path)
    polling = {n for n, line in enumerate(Path(subprocess.__file__).read_text().splitlines(), 1)
               if "_waitpid_lock" in line or line.strip() == "try:"}  # fmt: skip
    chosen = [place for place in places if place[0] == "subprocess.py" and place[1] in polling] + places[::6]
    assert len(chosen) > 20

    for place in dict.fromkeys(chosen):
        mark = uuid.uuid4().hex
        with interrupted_at(place) as trace, suppress(KeyboardInterrupt):
            watched(tmp_path, trace, mark)

        assert wait_until(lambda mark=mark: not processes_with(mark)), place  # type: ignore[misc]


class interrupted_at:  # noqa: N801 - reads as what it does
    """While inside, the first time that this line is about to run, the process is told to end."""

    def __init__(self, place: tuple[str, int]) -> None:
        self.place = place
        self.done = False
        self.listening = termination_interrupts()

    def __enter__(self) -> object:
        self.listening.__enter__()
        return self.trace

    def __exit__(self, *_: object) -> None:
        self.listening.__exit__(None, None, None)
        assert self.done, self.place

    def trace(self, frame: FrameType, event: str, _: object) -> object:
        """Raise the signal there."""
        file = Path(frame.f_code.co_filename).name
        if file not in TRACED:
            return None
        if event == "line" and (file, frame.f_lineno) == self.place and not self.done:
            self.done = True
            signal.raise_signal(signal.SIGHUP)
        return self.trace
