"""How a reply goes out: its head with its body where both are there, and by itself where they are not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from garrison import Settings
from garrison.server.protocol.joined_writes import LARGEST, JoinedWrites, Turn
from garrison.server.protocol.over_h11 import GuardedH11Protocol
from garrison.server.protocol.over_httptools import GuardedHttpToolsProtocol
from garrison.server.served import Served

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send
    from garrison.server.protocol.guarded import GuardedProtocol

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
PROTOCOLS = [GuardedH11Protocol, GuardedHttpToolsProtocol]


class Written(asyncio.Transport):
    """A transport that keeps what is written, write by write."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1234), "sockname": ("192.0.2.2", 80)})
        self.writes: list[bytes] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        if data:
            self.writes.append(bytes(data))

    def close(self) -> None:
        """Take no more."""
        self.closing = True

    def abort(self) -> None:
        """Take no more."""
        self.closing = True

    def is_closing(self) -> bool:
        """Whether it takes no more."""
        return self.closing

    def resume_reading(self) -> None:
        """Nothing is read."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def get_write_buffer_size(self) -> int:
        """Everything has been taken."""
        return 0


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reply at once, or with a body that takes a while."""
    del receive
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    if scope["path"] == "/late":
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"ok"})


def written(
    protocol: type[GuardedProtocol], head: str, asgi: ASGIApp = app, made: list[Written] | None = None
) -> Written:
    """What a server has written when its app has replied to a request."""

    async def asked() -> Written:
        config = uvicorn.Config(
            Served(asgi, Settings()), interface="asgi3", access_log=False, log_config=None
        )
        config.load()
        state = ServerState()
        connection: Any = protocol(config, state, {}, asyncio.get_running_loop())
        transport = Written()
        if made is not None:
            made.append(transport)
        connection.connection_made(transport)
        connection.data_received(f"{head} HTTP/1.1\r\nhost: shop.example\r\n\r\n".encode())
        await asyncio.gather(*state.tasks)
        connection.connection_lost(None)
        return transport

    return asyncio.run(asked())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_whole_reply_is_one_write(protocol: type[GuardedProtocol]) -> None:
    """A client gets head and body in one packet."""
    (reply,) = written(protocol, "GET /").writes
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert reply.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_head_does_not_wait_for_a_body_that_takes_long(protocol: type[GuardedProtocol]) -> None:
    """A client gets the head when it is there, as of a stream that has nothing to say yet."""
    head, body = written(protocol, "GET /late").writes
    assert head.endswith(b"\r\n\r\n")
    assert body == b"ok"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_without_a_body_is_written(protocol: type[GuardedProtocol]) -> None:
    """A HEAD request gets its head."""
    (reply,) = written(protocol, "HEAD /").writes
    assert reply.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_reply_is_written_when_it_is_complete(protocol: type[GuardedProtocol]) -> None:
    """A server that ends closes a connection whose reply is complete, and nothing of it may be missing."""
    seen: list[list[bytes]] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        seen.append(list(transports[-1].writes))

    transports: list[Written] = []
    written(protocol, "HEAD /", look, transports)
    assert len(seen[0]) == 1


def joined() -> tuple[JoinedWrites, Written]:
    """The writes of one connection."""
    transport = Written()
    return JoinedWrites(transport, Turn(asyncio.get_running_loop())), transport


def test_a_large_body_is_not_copied() -> None:
    """What would cost more to join than to write is written by itself."""

    async def writes() -> list[bytes]:
        one, transport = joined()
        one.write(HEAD)
        one.write(b"x" * (LARGEST + 1))
        one.write(b"y")
        return list(transport.writes)

    assert [len(data) for data in asyncio.run(writes())] == [len(HEAD), LARGEST + 1, 1]


def test_an_interim_reply_goes_out_at_once() -> None:
    """A client that waits for a 100 before it sends its body does not wait for anything else."""

    async def writes() -> list[bytes]:
        one, transport = joined()
        one.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return list(transport.writes)

    assert asyncio.run(writes()) == [b"HTTP/1.1 100 Continue\r\n\r\n"]


def test_what_is_held_goes_out_before_the_connection_is_closed() -> None:
    """A reply that ends its connection arrives."""

    async def closed() -> Written:
        one, transport = joined()
        one.write(HEAD)
        one.close()
        await asyncio.sleep(0)
        return transport

    transport = asyncio.run(closed())
    assert transport.writes == [HEAD]
    assert transport.closing


@pytest.mark.parametrize("end", ["abort", "close"])
def test_nothing_is_written_to_a_connection_that_was_cut(end: str) -> None:
    """A head for a client that has left is forgotten; loops complain about writes to it."""

    async def cut() -> list[bytes]:
        one, transport = joined()
        one.write(HEAD)
        (one if end == "abort" else transport).abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        one.flush()
        return list(transport.writes)

    assert asyncio.run(cut()) == []
