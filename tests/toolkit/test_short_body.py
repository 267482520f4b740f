"""Reading a short body: whole, bounded in bytes and in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from garrison.short_body import Refusal, read_short_body
from tests.toolkit.driver import request_messages

if TYPE_CHECKING:
    from garrison.asgi import Message


def read(*messages: Message, limit: int = 10, seconds: float = 5.0) -> bytes | Refusal | None:
    """What is made of these messages; after the last the client is silent."""
    incoming = list(messages)

    async def receive() -> Message:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop(0)

    return asyncio.run(read_short_body(receive, limit, seconds))


def test_a_body_in_pieces_is_read_whole() -> None:
    """A body is put together up to its limit, and nothing after its end is waited for."""
    assert read(*request_messages(b"12345", b"", b"67890")) == b"1234567890"
    assert read({"type": "http.request"}) == b""


def test_a_body_over_the_limit_is_cut_off() -> None:
    """The first byte too many ends it; whether there is more decides about the connection."""
    cut, ended = read(*request_messages(b"12345", b"678901", b"2")), read(*request_messages(b"12345678901"))
    assert isinstance(cut, Refusal)
    assert isinstance(ended, Refusal)
    assert (cut.problem.status, cut.rest) == (413, "abandoned")
    assert (ended.problem.status, ended.rest) == (413, "read")
    assert "10 bytes" in cut.problem.detail


def test_a_client_that_dawdles_is_not_waited_for() -> None:
    """A body that does not end in time is a 408."""
    found = read({"type": "http.request", "body": b"1", "more_body": True}, seconds=0.02)
    assert isinstance(found, Refusal)
    assert (found.problem.status, found.rest) == (408, "abandoned")
    assert "0.02 seconds" in found.problem.detail


def test_a_client_that_leaves_gets_nothing() -> None:
    """Half a body is no body."""
    assert (
        read({"type": "http.request", "body": b"1", "more_body": True}, {"type": "http.disconnect"}) is None
    )
