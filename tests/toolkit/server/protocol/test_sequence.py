"""What becomes of a connection between two requests, without a socket: the times are tested with one."""

from __future__ import annotations

import asyncio
import gc
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ref

import uvicorn
from uvicorn.server import ServerState

from garrison import Settings
from garrison.server.protocol.deadlines import Deadlines
from garrison.server.protocol.over_httptools import GuardedHttpToolsProtocol
from garrison.server.served import Served
from tests.toolkit.server.protocol.test_joined_writes import Written

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send

GET = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"


class Session:
    """What a handler may keep for its request."""


session: ContextVar[Session] = ContextVar("session")


def connected(app: ASGIApp, transport: Written) -> tuple[Any, ServerState]:
    """A connection and its server."""
    config = uvicorn.Config(Served(app, Settings()), interface="asgi3", access_log=False, log_config=None)
    config.load()
    state = ServerState()
    connection = GuardedHttpToolsProtocol(config, state, {}, asyncio.get_running_loop())
    connection.connection_made(transport)
    return connection, state


async def answered(state: ServerState) -> None:
    """Wait until all handlers are done and the event loop has forgotten them."""
    while state.tasks:
        await asyncio.gather(*state.tasks)
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_kept_connection_holds_nothing_of_its_last_request() -> None:
    """What a handler has left in its context and its scope is gone while a client may ask again."""
    sessions: list[ref[Session]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        one = Session()
        session.set(one)
        scope["session"] = one
        sessions.append(ref(one))
        await send({"type": "http.response.start", "status": 204, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def asked() -> list[Session | None]:
        transport = Written()
        connection, state = connected(app, transport)
        for _ in range(2):
            connection.data_received(GET)
            await answered(state)
        gc.collect()
        held = [one() for one in sessions]
        assert not transport.closing
        connection.connection_lost(None)
        return held

    assert asyncio.run(asked()) == [None, None]


def test_requests_that_come_at_once_are_answered_in_their_order() -> None:
    """A client that sends several requests in one go gets all replies, and may go on."""
    paths: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        paths.append(scope["path"])
        await asyncio.sleep(0)
        length = (b"content-length", b"%d" % len(scope["path"]))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    async def asked() -> tuple[bytes, int]:
        transport = Written()
        connection, state = connected(app, transport)
        connection.data_received(b"".join(GET.replace(b"/ ", b"/%d " % number) for number in range(3)))
        await answered(state)
        connection.data_received(GET)
        await answered(state)
        connection.connection_lost(None)
        return b"".join(transport.writes), state.total_requests

    replies, count = asyncio.run(asked())
    assert [reply.rpartition(b"\r\n\r\n")[2] for reply in replies.split(b"HTTP/1.1 200")[1:]] == [
        b"/0",
        b"/1",
        b"/2",
        b"/",
    ]
    assert (paths, count) == (["/0", "/1", "/2", "/"], 4)


class Pausing(Written):
    """A transport that knows whether anything is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def pause_reading(self) -> None:
        """Read nothing."""
        self.reads = False

    def resume_reading(self) -> None:
        """Read on."""
        self.reads = True


def test_a_connection_is_read_on_when_nobody_wanted_a_body() -> None:
    """A client that was answered in the middle of its upload can send the rest, and ask again."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def asked() -> tuple[list[bool], int]:
        transport = Pausing()
        connection, state = connected(app, transport)
        connection.data_received(GET.replace(b"GET", b"POST")[:-2] + b"content-length: 200000\r\n\r\n")
        connection.data_received(bytes(100_000))
        reads = [transport.reads]
        await answered(state)
        reads.append(transport.reads)
        connection.data_received(bytes(100_000))
        connection.data_received(GET)
        await answered(state)
        connection.connection_lost(None)
        return reads, state.total_requests

    assert asyncio.run(asked()) == ([False, True], 2)


def test_what_ends_a_connection_works_for_no_request() -> None:
    """One timer is for all connections, and its log lines have the id of none of their requests."""

    async def seen() -> list[str]:
        found: list[str] = []
        owner: ContextVar[str] = ContextVar("owner", default="nobody")
        over = asyncio.Event()

        def expire(one: str) -> None:
            found.append(f"{one} by {owner.get()}")
            if len(found) == 2:
                over.set()

        deadlines: Deadlines[str] = Deadlines(asyncio.get_running_loop(), 0.01, expire)
        owner.set("a request")
        deadlines.begin("first")
        await asyncio.sleep(0.002)
        deadlines.begin("second")
        await over.wait()
        return found

    assert asyncio.run(seen()) == ["first by nobody", "second by nobody"]
