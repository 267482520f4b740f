"""Long lines to a pipe that other processes share: whole, or not yet."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import TYPE_CHECKING

import pytest

from garrison.unwaiting import PAGE, outlet

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts the pages of Linux's pipes")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe with room for sixteen pages."""
    reader, writer = os.pipe()
    assert fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) == 16 * PAGE
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_room_is_counted_in_pages(pipe: tuple[int, int]) -> None:
    """Where each page is little more than half full, the bytes that are free are no room for a long line."""
    reader, writer = pipe
    line = b"x" * (PAGE + 300)
    for _ in range(14):
        assert os.write(writer, b"o" * (PAGE // 2 + 1)) == PAGE // 2 + 1
    way = outlet(writer)
    with pytest.raises(BlockingIOError):
        way.put(line)
    os.read(reader, 16 * PAGE)
    assert way.put(line) == len(line)
    assert os.read(reader, 16 * PAGE) == line
    way.close()


def test_an_empty_pipe_takes_whatever_it_can_hold(pipe: tuple[int, int]) -> None:
    """The longest line needs all pages, and gets them when nothing else is in them."""
    _, writer = pipe
    way = outlet(writer)
    assert way.put(b"x" * 16 * PAGE) == 16 * PAGE
    way.close()


def test_two_processes_do_not_take_the_same_room(pipe: tuple[int, int]) -> None:
    """While another process writes a long line, one of ours waits; a short one need not."""
    _, writer = pipe
    held, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        fcntl.lockf(writer, fcntl.LOCK_EX)
        os.write(held[1], b"x")
        os.read(done[0], 1)
        os._exit(0)
    way = outlet(writer)
    try:
        os.read(held[0], 1)
        with pytest.raises(BlockingIOError):
            way.put(b"x" * 2 * PAGE)
        assert way.put(b"short") == 5
    finally:
        os.write(done[1], b"x")
        os.waitpid(child, 0)
        for descriptor in (*held, *done):
            os.close(descriptor)
    assert way.put(b"x" * 2 * PAGE) == 2 * PAGE
    way.close()
