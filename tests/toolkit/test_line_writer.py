"""Lines to a stream whose reader stalls: nobody waits, no line is torn, and what is lost is told."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest

from garrison.line_writer import AT_EXIT, BOUND, PAUSE, LineWriter, writer
from garrison.unwaiting import _Asked, outlet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Seconds; against hanging only.
LONG = 30.0


def loss(count: int) -> bytes:
    """The line that tells of lost ones."""
    return b"lost %d\n" % count


class Pipe:
    """A pipe that nobody reads until somebody asks."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def read(self, until: Callable[[bytes], bool]) -> bytes:
        """What comes until the condition is true of it."""
        os.set_blocking(self.reader, False)
        found, end = b"", time.monotonic() + LONG
        while not until(found):
            assert time.monotonic() < end, found[-200:]
            try:
                found += os.read(self.reader, 1 << 20)
            except BlockingIOError:
                time.sleep(0.005)
        return found

    def wait_until_full(self, least: int = 60_000) -> None:
        """Wait until hardly anything more goes in, and a moment longer."""
        end = time.monotonic() + LONG
        while unread(self) < least:
            assert time.monotonic() < end
            time.sleep(0.01)
        time.sleep(0.3)

    def close(self) -> None:
        """Let go of both ends."""
        for descriptor in (self.reader, self.writer):
            with suppress(OSError):
                os.close(descriptor)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe whose ends are closed at the end."""
    made = Pipe()
    yield made
    made.close()


def descriptors_of(pipe: Pipe) -> int:
    """How many descriptors of this process lead to the pipe; what else it has open comes and goes."""
    opened = Path("/proc/self/fd")
    name, found = (opened / str(pipe.writer)).readlink(), 0
    for entry in opened.iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            found += entry.readlink() == name
    return found


def log_threads() -> set[threading.Thread]:
    """Those that write what waits; the writer of an earlier test may still have one."""
    return {thread for thread in threading.enumerate() if thread.name == "garrison-log"}


def unread(pipe: Pipe) -> int:
    """How many bytes could be read now."""
    return int.from_bytes(fcntl.ioctl(pipe.reader, termios.FIONREAD, bytes(4)), sys.byteorder)


def line(number: int, size: int = 100) -> bytes:
    """A line that can be told from others."""
    return b"%07d " % number + b"x" * (size - 9) + b"\n"


def test_a_line_goes_out_at_once_and_without_a_thread(pipe: Pipe) -> None:
    """Where somebody reads, or there is room, nothing waits."""
    lines = writer(pipe.writer, loss)
    before = log_threads()
    assert lines.write(b"one\n")
    assert os.read(pipe.reader, 100) == b"one\n"
    assert not lines.waits
    assert log_threads() <= before


def test_a_stalled_reader_stalls_nobody(pipe: Pipe) -> None:
    """Many times what a pipe holds is taken, and comes whole and in order once somebody reads."""
    lines = writer(pipe.writer, loss)
    took = []
    for number in range(5000):
        began = time.perf_counter()
        assert lines.write(line(number))
        took.append(time.perf_counter() - began)
    # Most of them find the pipe full, and none of these waits for even one of the thread's pauses.
    assert median(took) < PAUSE
    assert lines.waits
    found = pipe.read(lambda text: text.count(b"\n") == 5000)
    assert found == b"".join(map(line, range(5000)))


class Stopped:
    """A stream whose reader has stopped: whoever waits for room waits until it goes on."""

    def __init__(self) -> None:
        self.data = b""
        self.awaited = threading.Event()
        self.goes_on = threading.Event()
        self.waiters: set[threading.Thread] = set()
        self.patient = True

    def put(self, data: bytes) -> int:
        """Take all or nothing."""
        if not self.goes_on.is_set():
            raise BlockingIOError
        self.data += data
        return len(data)

    def wait(self, seconds: float) -> bool:
        """Whatever was asked for: a wait that should not be would be over before anybody sees it."""
        self.waiters.add(threading.current_thread())
        self.awaited.set()
        self.patient = self.goes_on.wait(LONG) and self.patient
        return True

    def close(self) -> None:
        """Nothing is open."""


def test_nobody_who_writes_waits_in_any_way_for_a_reader() -> None:
    """Neither for room nor for whoever waits for room, while lines are kept and while they are lost."""
    stopped = Stopped()
    lines, before = LineWriter(stopped, loss, bound=10_000), log_threads()
    assert lines.write(line(0))
    # From here on there is one who waits, and it goes on waiting.
    assert stopped.awaited.wait(LONG)
    taken = [lines.write(line(number)) for number in range(1, 2000)]
    assert stopped.patient
    assert not stopped.goes_on.is_set()
    assert stopped.waiters <= log_threads() - before
    stopped.goes_on.set()
    lines.flush(LONG)
    kept = 1 + taken.count(True)
    assert stopped.data == b"".join(map(line, range(kept))) + loss(2000 - kept)


def test_what_finds_no_room_is_dropped_counted_and_told(pipe: Pipe) -> None:
    """The buffer is bounded in bytes; the count of what was lost stands where the lines would have."""
    lines = LineWriter(outlet(pipe.writer), loss, bound=10_000)
    taken = [lines.write(line(number)) for number in range(2000)]
    lost = taken.count(False)
    assert lost > 1000
    kept = taken.index(False)
    assert all(taken[:kept])
    assert not any(taken[kept:])
    found = pipe.read(lambda text: b"lost" in text and text.endswith(b"\n"))
    assert found == b"".join(map(line, range(kept))) + loss(lost)
    assert lines.write(b"again\n")
    assert pipe.read(lambda text: text.endswith(b"\n")) == b"again\n"


def test_the_loss_is_told_before_what_comes_after_it(pipe: Pipe) -> None:
    """With a reader that is slow for good, lines and counts add up, and losses are told in blocks."""
    lines = LineWriter(outlet(pipe.writer), loss, bound=40_000)
    found = b""
    os.set_blocking(pipe.reader, False)
    for number in range(20_000):
        lines.write(line(number))
        if number % 50 == 0:
            with suppress(BlockingIOError):
                found += os.read(pipe.reader, 2048)
    lines.write(line(20_000))
    lines.flush(0)
    found += pipe.read(lambda text: text.endswith(b"\n") and not lines.waits and not unread(pipe))
    texts = found.splitlines()
    told = [int(text.split()[1]) for text in texts if text.startswith(b"lost")]
    kept = [int(text.split()[0]) for text in texts if not text.startswith(b"lost")]
    assert len(kept) + sum(told) == 20_001
    assert kept == sorted(kept)
    assert all(len(text) == 99 for text in texts if not text.startswith(b"lost"))
    assert told


def test_long_lines_are_not_torn(pipe: Pipe) -> None:
    """A line that is longer than a pipe takes in one piece arrives whole all the same."""
    lines = writer(pipe.writer, loss)
    sizes = [60_000, 50, 200_000, 5000, 9, 70_000]
    for number, size in enumerate(sizes):
        assert lines.write(line(number, max(size, 10)))
    found = pipe.read(lambda text: text.count(b"\n") == len(sizes))
    assert found == b"".join(line(number, max(size, 10)) for number, size in enumerate(sizes))


def test_processes_that_share_a_pipe_do_not_mix_their_lines(pipe: Pipe) -> None:
    """Workers write to one stalled pipe, and each of their lines is whole, the long ones too."""
    code = (
        "import sys\n"
        "from garrison.line_writer import writer\n"
        "lines = writer(1, lambda count: b'lost\\n')\n"
        "for number in range(200):\n"
        "    lines.write(sys.argv[1].encode() * (20 if number % 4 else 6000) + b'\\n')\n"
        "lines.flush(20)\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, letter], stdout=pipe.writer) for letter in "abc"]
    pipe.wait_until_full(10_000)
    try:
        found = pipe.read(lambda text: text.count(b"\n") == 600)
    finally:
        for process in started:
            process.kill()
            process.wait()
    texts = found.decode().splitlines()
    assert all(len(set(text)) == 1 and len(text) in {20, 6000} for text in texts)


def test_others_who_write_there_still_wait(pipe: Pipe) -> None:
    """What a shell or the app's own print() has is not made non-blocking behind their back."""
    lines = writer(pipe.writer, loss)
    lines.write(b"x\n")
    assert not fcntl.fcntl(pipe.writer, fcntl.F_GETFL) & os.O_NONBLOCK
    assert not fcntl.fcntl(pipe.reader, fcntl.F_GETFL) & os.O_NONBLOCK


def test_a_socket_stalls_nobody_either() -> None:
    """The journal of systemd is a socket."""
    ours, theirs = socket.socketpair()
    lines = writer(ours.fileno(), loss)
    for number in range(10_000):
        assert lines.write(line(number))
    found = b""
    while found.count(b"\n") < 10_000:
        found += theirs.recv(1 << 20)
    assert found == b"".join(map(line, range(10_000)))
    ours.close()
    theirs.close()


def test_a_terminal_stalls_nobody_either() -> None:
    """Whoever stops the output of a terminal stops no request."""
    leader, follower = os.openpty()
    mode = termios.tcgetattr(follower)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(follower, termios.TCSANOW, mode)
    lines = writer(follower, loss)
    for number in range(1000):
        assert lines.write(line(number))
    found = b""
    while found.count(b"\n") < 1000:
        found += os.read(leader, 1 << 16)
    assert found == b"".join(map(line, range(1000)))
    os.close(leader)
    os.close(follower)


def test_a_pipe_that_cannot_be_opened_again_stalls_nobody(pipe: Pipe) -> None:
    """Where another user has made it, or there is no /proc, it is asked for room each time."""
    lines = LineWriter(_Asked(os.dup(pipe.writer)), loss)
    for number in range(3000):
        assert lines.write(line(number))
    found = pipe.read(lambda text: text.count(b"\n") == 3000)
    assert found == b"".join(map(line, range(3000)))


def test_a_file_is_written_at_once(tmp_path: Path) -> None:
    """Lines are appended behind what is there, and are there when the call is over."""
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    with path.open("ab") as stream:
        lines = writer(stream.fileno(), loss)
        assert lines.write(b"one\n")
        assert path.read_bytes() == b"before\none\n"


def test_a_reader_that_is_gone_costs_lines_only(pipe: Pipe) -> None:
    """Every line is a loss then, at once and for good."""
    lines = writer(pipe.writer, loss)
    os.close(pipe.reader)
    assert [lines.write(b"x\n") for _ in range(3)] == [False] * 3


class Disk:
    """A disk with so many bytes left.

    Args:
        left: how many there are.
        full: what it says when there are none.
    """

    def __init__(self, left: int, full: OSError) -> None:
        self.left = left
        self.full = full
        self.data = b""

    def put(self, data: bytes) -> int:
        """Take what fits."""
        if not self.left:
            raise self.full
        count = min(self.left, len(data))
        self.left -= count
        self.data += data[:count]
        return count

    def wait(self, seconds: float) -> bool:
        """Say that it may take more, in a while."""
        time.sleep(min(seconds, 0.01))
        return True

    def close(self) -> None:
        """Nothing is open."""


def test_who_was_full_takes_nothing_until_half_of_it_is_free() -> None:
    """Or every other line would be about lost ones."""
    slow = Disk(0, BlockingIOError())
    lines = LineWriter(slow, loss, bound=1000)
    assert [lines.write(line(number)) for number in range(12)] == [True] * 10 + [False] * 2
    slow.left = 100
    lines.flush(0)
    assert not lines.write(line(12))
    slow.left = 500
    lines.flush(0)
    assert lines.write(line(13))
    slow.left = 10_000
    lines.flush(1)
    assert slow.data == b"".join(map(line, range(10))) + loss(3) + line(13)


def test_a_full_disk_tears_no_line_for_long() -> None:
    """When there is room again, a line that was cut off is ended, and the loss is told."""
    disk = Disk(7, OSError(28, "No space left on device"))
    lines, before = LineWriter(disk, loss), log_threads()
    assert lines.write(b"abcd\n")
    lines.write(b"efgh\n")
    end = time.monotonic() + LONG
    while log_threads() - before:
        assert time.monotonic() < end
        time.sleep(0.005)
    assert not lines.write(b"ijkl\n")
    disk.left = 1000
    assert lines.write(b"mnop\n")
    assert disk.data == b"abcd\nef\nlost 2\nmnop\n"


def test_what_waits_is_written_in_a_bounded_time(pipe: Pipe) -> None:
    """Flushing ends when all is out, or when its time is over."""
    lines = writer(pipe.writer, loss)
    for number in range(2000):
        lines.write(line(number))
    began = time.monotonic()
    # Nobody reads, so that it would not end by itself.
    lines.flush(0.2)
    assert time.monotonic() - began > 0.1
    waits_still = lines.waits
    found: list[bytes] = []
    reading = threading.Thread(target=lambda: found.append(pipe.read(lambda text: text.count(b"\n") == 2000)))
    reading.start()
    lines.flush(LONG)
    assert (waits_still, lines.waits) == (True, False)
    reading.join()
    assert found == [b"".join(map(line, range(2000)))]


def test_a_process_that_ends_writes_what_waits(pipe: Pipe) -> None:
    """At exit too, for as long as the reader takes it and no longer than a while."""
    code = (
        "import sys\n"
        "from garrison import line_writer\n"
        "line_writer.AT_EXIT = float(sys.argv[1])\n"
        "lines = line_writer.writer(1, lambda count: b'lost\\n')\n"
        "for number in range(2000):\n"
        "    lines.write(b'x' * 99 + b'\\n')\n"
    )
    # How soon a reader comes that shares the machine with others is not known.
    process = subprocess.Popen([sys.executable, "-c", code, str(LONG)], stdout=pipe.writer)
    pipe.wait_until_full()
    found = pipe.read(lambda text: text.count(b"\n") == 2000)
    assert process.wait(LONG) == 0
    assert found == (b"x" * 99 + b"\n") * 2000
    # Now nobody reads at all.
    process = subprocess.Popen([sys.executable, "-c", code, str(AT_EXIT)], stdout=pipe.writer)
    assert process.wait(LONG) == 0


def test_a_child_process_begins_anew(pipe: Pipe) -> None:
    """What waits in a process is not written a second time by one that is forked from it."""
    code = (
        "import os, sys\n"
        "from garrison.line_writer import writer\n"
        "lines = writer(1, lambda count: b'lost\\n')\n"
        "for number in range(2000):\n"
        "    lines.write(b'p' * 99 + b'\\n')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    for number in range(2000):\n"
        "        lines.write(b'c' * 99 + b'\\n')\n"
        "lines.flush(20)\n"
        "if child:\n"
        "    os.waitpid(child, 0)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=pipe.writer)
    pipe.wait_until_full()
    found = pipe.read(lambda text: text.count(b"\n") == 4000).splitlines()
    assert process.wait(LONG) == 0
    assert sorted(found) == [b"c" * 99] * 2000 + [b"p" * 99] * 2000


def test_threads_write_whole_lines(pipe: Pipe) -> None:
    """Lines of several threads do not mix."""
    lines = writer(pipe.writer, loss)

    def write(letter: bytes) -> None:
        for _ in range(1000):
            lines.write(letter * 99 + b"\n")

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    found = pipe.read(lambda text: text.count(b"\n") == 3000).splitlines()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"a" * 99] * 1000 + [b"b" * 99] * 1000 + [b"c" * 99] * 1000


def test_one_stream_has_one_writer(pipe: Pipe) -> None:
    """Standard output and standard error of a container are one pipe; it is let go with its last user."""
    second = os.dup(pipe.writer)
    lines = writer(pipe.writer, loss)
    assert writer(second, loss) is lines
    os.close(second)
    held = descriptors_of(pipe)
    del lines
    gc.collect()
    assert descriptors_of(pipe) == held - 1 == 2


def test_the_bound_is_that_of_a_process() -> None:
    """A megabyte is what a stalled reader can cost."""
    assert BOUND == 2**20
