"""Bodies that are read before the app sees them come to it as they were sent."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING

from garrison.buffer_budget import BufferBudget
from garrison.contracting.buffered import BufferedBody

if TYPE_CHECKING:
    from starlette.types import Message

ROOM = 1_000_000


class Client:
    """Sends a body in pieces, and is gone."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._at = 0

    async def receive(self) -> Message:
        """The next message."""
        self._at += 1
        if self._at > len(self._pieces):
            return {"type": "http.disconnect"}
        more = self._at < len(self._pieces)
        return {"type": "http.request", "body": self._pieces[self._at - 1], "more_body": more}


def taken(*pieces: bytes) -> tuple[str, bytes, list[Message], int]:
    """How a body was read, what it is, what the app gets of it, and the bytes of memory that it took."""

    async def run() -> tuple[str, bytes, list[Message], int]:
        buffered = BufferedBody(Client(*pieces).receive)
        tracemalloc.start()
        with BufferBudget(ROOM).share() as share:
            reading = await buffered.read(ROOM, share)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        body, receive = buffered.body, buffered.replay()
        messages = [await receive()]
        while messages[-1]["type"] == "http.request":
            messages.append(await receive())
        return reading, body, messages, held

    return asyncio.run(run())


def test_pieces_come_as_they_were_sent() -> None:
    """Few of them are handed on one by one, and then the end of the client."""
    reading, body, messages, _ = taken(b"ab", b"", b"cd")
    assert (reading, body) == ("whole", b"abcd")
    assert [message.get("body") for message in messages] == [b"ab", b"", b"cd", None]


def test_a_body_that_comes_byte_by_byte_takes_the_memory_of_its_bytes() -> None:
    """A client that sends single bytes could otherwise fill two hundred times the memory that is allowed."""
    pieces = [bytes([65 + number % 26]) for number in range(20_000)]
    reading, body, messages, held = taken(*pieces)
    assert (reading, body) == ("whole", b"".join(pieces))
    assert b"".join(message.get("body", b"") for message in messages) == body
    assert [message.get("more_body") for message in messages[-3:]] == [True, False, None]
    assert held < 20 * len(body)
