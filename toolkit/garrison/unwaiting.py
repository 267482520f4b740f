"""Writes to a file descriptor that others share: without waiting for its reader, and without changing it."""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
from typing import Final, Protocol

# What POSIX promises to write to a pipe in one piece, and what is free in one that can be written to (Linux,
# pipe(7)).
PIECE: Final = getattr(select, "PIPE_BUF", 512)

# A pipe has room for pages, not for bytes: two that follow each other hold more than one page of data
# together, and no more can be said (Linux, fs/pipe.c). The spare ones are for the first, which may be half
# read, and for short lines of other processes that come in between.
PAGE: Final = 4096
SPARE: Final = 4


class Outlet(Protocol):
    """A descriptor that is written to without waiting."""

    def put(self, data: bytes) -> int:
        """Write as much as there is room for.

        Args:
            data: what to write.

        Returns:
            The number of bytes that were taken, at least one.

        Raises:
            BlockingIOError: there is no room now.
            OSError: there is nobody any more, or no place.
        """

    def wait(self, seconds: float) -> bool:
        """Wait until there may be room, and say whether there may be.

        Args:
            seconds: how long at most.
        """

    def close(self) -> None:
        """Let go of the descriptor; whoever shares it keeps it."""


def outlet(descriptor: int) -> Outlet:
    """The way to write to a descriptor without waiting.

    `O_NONBLOCK` belongs to an open file, and the one behind standard output is that of every process that
    was started with it: to set it there would make a shell's or an app's own writes fail. So a pipe or a
    terminal is opened a second time, and a socket is asked for each message. A file never makes anybody wait
    for a reader.

    Args:
        descriptor: that of a pipe, terminal, socket or file; it is duplicated and not used itself.

    Raises:
        OSError: it is closed.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) or not hasattr(select, "poll"):
        return _Plain(os.dup(descriptor))
    if stat.S_ISSOCK(mode):
        return _Socket(os.dup(descriptor))
    if sys.platform == "linux":
        try:
            own = os.open(
                f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            )
        except OSError:
            pass  # another user's, or there is no /proc
        else:
            return _Pipe(own) if stat.S_ISFIFO(mode) else _Own(own)
    return _Asked(os.dup(descriptor))


class _Plain:
    """A file, to which writing is as fast as the disk."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def put(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def wait(self, seconds: float) -> bool:  # noqa: ARG002 - of the protocol
        return True

    def close(self) -> None:
        os.close(self._descriptor)


class _Polled:
    """Something with a reader."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def wait(self, seconds: float) -> bool:
        # One for each call: no two threads may use the same.
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        os.close(self._descriptor)


class _Own(_Polled):
    """A terminal, opened for ourselves."""

    def put(self, data: bytes) -> int:
        return os.write(self._descriptor, data)


class _Pipe(_Own):
    """A pipe, opened for ourselves, to which other processes may write too."""

    def put(self, data: bytes) -> int:
        if len(data) <= PIECE:
            return os.write(self._descriptor, data)
        # More than a piece is written as a whole where it fits; else a line of another process could come
        # between its parts. The lock keeps those who would take the same room apart; whoever holds it does
        # not wait, and short lines need none.
        import fcntl  # noqa: PLC0415 - not on every platform

        fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            unread = self._unread()
            if unread and _pages(len(data)) > self._capacity() // PAGE - 2 * _pages(unread) - SPARE:
                raise BlockingIOError
            return os.write(self._descriptor, data)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _unread(self) -> int:
        from fcntl import ioctl  # noqa: PLC0415 - not on every platform
        from termios import FIONREAD  # noqa: PLC0415 - not on every platform

        return int.from_bytes(ioctl(self._descriptor, FIONREAD, bytes(4)), sys.byteorder)

    def _capacity(self) -> int:
        import fcntl  # noqa: PLC0415 - not on every platform

        return fcntl.fcntl(self._descriptor, fcntl.F_GETPIPE_SZ)


def _pages(size: int) -> int:
    return -(-size // PAGE)


class _Socket(_Polled):
    """A socket, such as that of systemd's journal."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._socket = socket.socket(fileno=descriptor)

    def put(self, data: bytes) -> int:
        return self._socket.send(data, socket.MSG_DONTWAIT)

    def close(self) -> None:
        self._socket.close()


class _Asked(_Polled):
    """A pipe or terminal that cannot be opened again: asked each time whether a piece fits.

    Only another process that takes the room in between can make it wait.
    """

    def put(self, data: bytes) -> int:
        if not self.wait(0):
            raise BlockingIOError
        return os.write(self._descriptor, data[:PIECE])
