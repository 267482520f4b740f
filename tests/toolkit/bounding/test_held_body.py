"""A body that is held until it is judged takes no more than its bytes take to arrive."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from garrison.bounding.held_body import HeldBody
from garrison.buffer_budget import BufferBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.asgi import Message, Receive

PIECES = 200_000
PIECE = b"x" * 256
ROOM = PIECES * len(PIECE)


def pieces() -> Receive:
    """A client that sends a long body in many short pieces."""
    left = PIECES

    async def receive() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": PIECE, "more_body": left > 0}

    return receive


async def nowhere(_message: Message) -> None:
    """Replies go here."""


def seconds(wrapped: Callable[[Receive], Receive]) -> float:
    """CPU seconds until an app has read all of it."""

    async def read() -> int:
        receive = wrapped(pieces())
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message["body"])
            more = message["more_body"]
        return size

    started = time.thread_time()
    assert asyncio.run(read()) == ROOM
    return time.thread_time() - started


def held(receive: Receive) -> Receive:
    """The same body, held until it is whole."""
    return HeldBody(receive, nowhere, ROOM, BufferBudget(ROOM).share(), lambda _: None).receive


def test_many_short_pieces_are_held_in_linear_time() -> None:
    """What came so far is not copied with every piece: a client could make that take minutes."""
    assert min(seconds(held) for _ in range(2)) < 10 * min(seconds(lambda receive: receive) for _ in range(2))
