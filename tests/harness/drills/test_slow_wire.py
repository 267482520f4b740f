"""Slow clients are slow in their way, and know whether the target had enough of them."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from garrison_harness.drills.addresses import Addresses
from garrison_harness.drills.constant_load import ConstantLoad
from garrison_harness.drills.slow_wire import be_slow
from garrison_harness.drills.wire import Place
from tests.harness.drills.test_tools import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.drills.slow_wire import Kind, Slow

SIZE = 3000
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n".encode()


def slow(kind: Kind, answer: Callable[[socket.socket], object], leaves: float = 5.0) -> Slow:
    """A slow client of a server that does this, until it leaves."""

    async def be() -> Slow:
        leave = asyncio.Event()
        asyncio.get_running_loop().call_later(leaves, leave.set)
        return await be_slow(load, kind, "/items", SIZE, leave)

    with serving(answer) as place:
        # Only its clock and its addresses are asked for: it is not entered, so it sends nothing.
        load = ConstantLoad(place, ("/",), 1.0, Addresses(place.host))
        return asyncio.run(be())


@pytest.mark.parametrize(
    ("kind", "begins", "drip"),
    [("heads", b"GET /items HTTP/1.1\r\nHost: ", b"\r\nX-Garrison: a"), ("bodies", b"POST /items ", b"a")],
)
def test_a_slow_head_or_body_comes_a_little_at_a_time(kind: Kind, begins: bytes, drip: bytes) -> None:
    """Pieces come one after the other, none of which is the end, until the target closes."""
    got: list[bytes] = []

    def take(connection: socket.socket) -> None:
        got.extend(connection.recv(65536) for _ in range(3))

    held = slow(kind, take).held
    assert held is not None
    assert held >= 0.4, "two pieces after the first"
    assert got[0].startswith(begins)
    assert got[1:] == [drip, drip]
    assert (b"\r\n\r\n" in got[0]) == (kind == "bodies")


@pytest.mark.parametrize("kind", ["heads", "bodies"])
def test_an_answer_ends_a_slow_client(kind: Kind) -> None:
    """A 408 says that nobody waits any more, whether or not the connection is closed with it."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n")
        connection.recv(65536)

    assert slow(kind, answer).held is not None


def wait(connection: socket.socket) -> None:
    """Take whatever comes."""
    while connection.recv(65536):
        continue


@pytest.mark.parametrize("kind", ["heads", "bodies"])
def test_a_slow_client_that_leaves_was_never_ended(kind: Kind) -> None:
    """A target that waits on is told by nothing that happens until the client goes."""
    assert slow(kind, wait, leaves=0.4).held is None


@pytest.mark.parametrize(("sent", "ended"), [(SIZE, False), (SIZE - 1, True)])
def test_a_reader_knows_whether_the_whole_reply_was_kept_for_it(sent: int, ended: bool) -> None:
    """What is there when it reads at last says whether the target gave it up before."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"x" * sent)

    assert (slow("readers", answer, leaves=0.2).held is not None) == ended


def test_a_client_that_is_not_let_in_holds_nothing() -> None:
    """A connection that is refused costs the target nothing, so it counts as ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    load = ConstantLoad(Place(host="127.0.0.1", port=port), ("/",), 1.0, Addresses("127.0.0.1"))
    assert asyncio.run(be_slow(load, "heads", "/", 0, asyncio.Event())).held is not None
