"""Writes whole lines to a stream whose reader may stall: what it does not take waits in a bounded buffer."""

from __future__ import annotations

import atexit
import os
from collections import deque
from functools import cache
from threading import RLock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary, finalize

from garrison.unwaiting import PIECE, Outlet, outlet

if TYPE_CHECKING:
    from collections.abc import Callable

# Some thousand events; a process that has more of them than that in a pause has other worries.
BOUND: Final = 1024 * 1024
# How much of the buffer is written before whoever waits goes on.
ROUNDS: Final = 16
PAUSE: Final = 0.02
LONGEST_WAIT: Final = 1.0
AT_EXIT: Final = 1.0


class LineWriter:
    """One stream and the lines that wait for it.

    A line goes out at once where the stream has room. Where it has none, the line waits, and all later ones
    behind it, until a thread or the next line has pushed them out; whoever writes never waits. What has no
    room in the buffer either is dropped and counted, and the count is a line of its own when lines flow
    again.

    Args:
        way: how to write.
        loss: makes the line that tells how many were dropped.
        bound: bytes that wait at most.
    """

    def __init__(self, way: Outlet, loss: Callable[[int], bytes], *, bound: int = BOUND) -> None:
        self._way = way
        # Looked up once: this is on the way of every request.
        self._out = way.put
        self._loss = loss
        self._bound = bound
        # Signal handlers and finalizers log too, in the middle of anything.
        self._lock = RLock()
        self._thread: Thread | None = None
        # What waits, and how many lines each stands for.
        self._lines: deque[tuple[bytes, int]] = deque()
        self._size = 0
        self._lost = 0
        # Whether a part of the first line is out, and whether one is out whose rest is lost.
        self._begun = False
        self._torn = False

    def write(self, line: bytes) -> bool:
        """Write a line, now or later.

        Args:
            line: with its line end.

        Returns:
            Whether it was taken; it was dropped otherwise.
        """
        with self._lock:
            if self._lines or self._lost or self._torn:
                return self._queue(line)
            try:
                written = self._out(line)
            except BlockingIOError:
                return self._queue(line)
            except OSError:
                self._lost += 1
                return False
            if written < len(line):
                self._begun = True
                self._append(line[written:], 1)
                self._attend()
            return True

    def flush(self, seconds: float) -> None:
        """Write what waits, as far as the stream takes it in time.

        Args:
            seconds: how long to wait at most.
        """
        end = monotonic() + seconds
        while not self._flows():
            left = end - monotonic()
            if left <= 0:
                return
            if self._way.wait(min(left, LONGEST_WAIT)):
                sleep(min(left, PAUSE))

    @property
    def waits(self) -> bool:
        """Whether there is anything that has not gone out."""
        return bool(self._lines or self._lost)

    def _queue(self, line: bytes) -> bool:
        # Once it was full, half of it must be free, or every other line would be about lost ones.
        bound = self._bound // 2 if self._lost else self._bound
        if self._size + len(line) > bound:
            self._lost += 1
            return False
        self._tell_loss()
        self._append(line, 1)
        if not self._push():
            self._attend()
        return not self._lost

    def _tell_loss(self) -> None:
        if self._lost:
            self._append(self._loss(self._lost), self._lost)
            self._lost = 0

    def _append(self, line: bytes, count: int) -> None:
        self._lines.append((line, count))
        self._size += len(line)

    def _push(self) -> bool:
        """Write what there is room for, and say whether nothing is left."""
        for _ in range(ROUNDS):
            if not self._lines:
                return True
            try:
                self._put(self._piece())
            except BlockingIOError:
                return False
            except OSError:
                self._lost += sum(count for _, count in self._lines)
                self._lines.clear()
                self._size = 0
                self._torn, self._begun = self._torn or self._begun, False
        return not self._lines

    def _put(self, piece: bytes) -> None:
        if not self._torn:
            self._written(self._way.put(piece))
            return
        count = self._way.put(b"\n" + piece)
        self._torn = False
        self._written(count - 1)

    def _piece(self) -> bytes:
        """The first line, or as many as go out in one piece."""
        found: list[bytes] = []
        size = 0
        for line, _ in self._lines:
            size += len(line)
            if found and size > PIECE:
                break
            found.append(line)
        return b"".join(found)

    def _written(self, count: int) -> None:
        self._size -= count
        while count:
            line, lines = self._lines.popleft()
            if count < len(line):
                self._lines.appendleft((line[count:], lines))
                self._begun = True
                return
            count -= len(line)
            self._begun = False

    def _flows(self) -> bool:
        """Write what there is room for, and say whether all that waited is out."""
        with self._lock:
            if not self._push():
                return False
            self._tell_loss()
            return self._push()

    def _attend(self) -> None:
        """Have a thread write what waits, for there may be no further line that would."""
        if self._thread is None:
            self._thread = Thread(target=self._drain, name="garrison-log", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None  # the interpreter ends, or has no more threads

    def _drain(self) -> None:
        while True:
            ready = self._way.wait(LONGEST_WAIT)
            with self._lock:
                if self._flows():
                    self._thread = None
                    return
            if ready:
                sleep(PAUSE)

    def _after_fork(self) -> None:
        """Begin anew in a child process: what waits is its parent's to write, and so is the thread."""
        self._lock = RLock()
        self._thread = None
        self._lines.clear()
        self._size = self._lost = 0
        self._begun = self._torn = False


# Standard output and standard error are one stream where a shell or a container says so.
_writers: WeakValueDictionary[tuple[int, int], LineWriter] = WeakValueDictionary()
_making: Final = RLock()


def writer(descriptor: int, loss: Callable[[int], bytes]) -> LineWriter:
    """The one writer of this process to what is behind a descriptor.

    Args:
        descriptor: an open one.
        loss: makes the line that tells how many were dropped, unless there is a writer already.

    Raises:
        OSError: it is closed.
    """
    _watch_process()
    status = os.fstat(descriptor)
    with _making:
        found = _writers.get((status.st_dev, status.st_ino))
        if found is None:
            way = outlet(descriptor)
            found = LineWriter(way, loss)
            # Not at exit, where the last lines are still to be written.
            finalize(found, way.close).atexit = False
            _writers[status.st_dev, status.st_ino] = found
        return found


@cache
def _watch_process() -> None:
    atexit.register(_flush_all)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_renew_all)


def _flush_all() -> None:
    end = monotonic() + AT_EXIT
    for each in list(_writers.values()):
        each.flush(end - monotonic())


def _renew_all() -> None:
    for each in list(_writers.values()):
        each._after_fork()  # noqa: SLF001 - of this module
