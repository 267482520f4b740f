"""A log that is read as a container's is, through a pipe, until its reader stalls."""

from __future__ import annotations

import fcntl
import os
import select
import termios
import threading
from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

# Linux <linux/fcntl.h>; the smallest pipe is a page, and is full soon.
_SET_PIPE_SIZE: Final = 1031
_PAGE: Final = 4096
_USUAL: Final = 64 * 1024  # bytes that a pipe holds elsewhere
_LOOK: Final = 0.05  # seconds
_KEPT: Final = 32 * 1024 * 1024  # bytes


class LogPipe:
    """A named pipe where a log file would be, and a thread that reads it as long as it is let.

    Whoever opens the path for writing gets the pipe, with a reader behind it from the start. This end stays
    open for writing too, so that nobody who opens it waits, and whoever writes never finds it without a
    reader.
    """

    def __init__(self, path: Path) -> None:
        """Make the pipe; it is read where it is entered.

        Args:
            path: Where a log file would be; nothing may be there.
        """
        os.mkfifo(path, 0o600)
        self._end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._capacity = _USUAL
        with suppress(OSError):
            self._capacity = fcntl.fcntl(self._end, _SET_PIPE_SIZE, _PAGE)
        self._read = bytearray()
        self._reads = threading.Event()
        self._reads.set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="garrison-log-reader", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._reads.set()
        self._thread.join()
        os.close(self._end)

    def held(self) -> int:
        """How many bytes wait in it."""
        found = array("i", [0])
        fcntl.ioctl(self._end, termios.FIONREAD, found)
        return found[0]

    def nearly_full(self) -> bool:
        """Whether it holds more than half of what it can: a line may have no room any more."""
        return self.held() > self._capacity / 2

    def stall(self) -> None:
        """Read nothing more, and keep the pipe open."""
        self._reads.clear()

    def resume(self) -> None:
        """Read on."""
        self._reads.set()

    def size(self) -> int:
        """How many bytes were read so far."""
        return len(self._read)

    def text(self, start: int = 0) -> str:
        """What was read so far, after so many bytes."""
        return bytes(self._read[start:]).decode(errors="replace")

    def _follow(self) -> None:
        while not self._over.is_set():
            if not self._reads.wait(_LOOK) or not select.select([self._end], [], [], _LOOK)[0]:
                continue
            # A stall between the two looks at it reads one piece more, which is no harm.
            with suppress(BlockingIOError):
                piece = os.read(self._end, 65536)
                if len(self._read) < _KEPT:
                    self._read += piece
