"""What bodies that are taken in may have of memory and of the disk, all of them together."""

from __future__ import annotations

import asyncio
import hashlib
from threading import Event
from typing import TYPE_CHECKING

import pytest

from garrison.buffer_budget import BufferBudget
from garrison.server.intake import HELD, SMALL, Intake, NoFileError

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive
    from garrison.server.intake import TakenBody


def receiving(size: int, piece: int = 10_000) -> Receive:
    """A body of so many bytes, in pieces."""
    left = size

    async def receive() -> Message:
        nonlocal left
        some = min(piece, left)
        left -= some
        return {"type": "http.request", "body": b"x" * some, "more_body": left > 0}

    return receive


def digest(body: TakenBody) -> str:
    """Of what an app would read."""
    with body.lent() as stream:
        return hashlib.sha256(stream.read()).hexdigest()


def test_bodies_share_what_there_is_of_memory() -> None:
    """What it has no room for goes to a file; small ones have theirs anyway, and all of it comes back."""
    intake = Intake(BufferBudget(HELD))

    async def run() -> None:
        sizes = [HELD, HELD, SMALL]
        bodies = [await intake.take(receiving(size)) for size in sizes]
        assert intake.written == HELD
        assert [body.size for body in bodies] == sizes
        assert [digest(body) for body in bodies] == [
            hashlib.sha256(b"x" * size).hexdigest() for size in sizes
        ]
        for body in bodies:
            body.close()
        assert (intake.written, intake.memory.held) == (0, 0)

    asyncio.run(run())


def test_others_find_half_of_the_disk() -> None:
    """Files never take more than they leave; who comes too late is refused, and has left nothing behind."""
    intake = Intake(free=lambda: 2 * HELD)

    async def run() -> None:
        first = await intake.take(receiving(HELD + 100_000))
        with pytest.raises(NoFileError, match="left to others"):
            await intake.take(receiving(2 * HELD))
        assert HELD < intake.written < 2 * HELD
        first.close()
        assert (intake.written, intake.memory.held) == (0, 0)
        (await intake.take(receiving(2 * HELD))).close()

    asyncio.run(run())


def test_a_request_that_ends_while_its_body_is_written_leaves_nothing() -> None:
    """Nobody waits for the disk, and what comes too late for the request finds it closed."""
    asked, answered = Event(), Event()

    def free() -> int:
        asked.set()
        answered.wait(10)
        return 10 * HELD

    async def run() -> None:
        intake = Intake(free=free)
        taking = asyncio.ensure_future(intake.take(receiving(3 * HELD)))
        await asyncio.to_thread(asked.wait, 10)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking
        assert not answered.is_set()
        assert (intake.written, intake.memory.held) == (0, 0)
        answered.set()
        await asyncio.to_thread(intake.writers.shutdown)

    # A file that nobody closes would be a ResourceWarning, which is an error here.
    asyncio.run(run())
