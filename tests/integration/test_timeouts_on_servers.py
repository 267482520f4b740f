"""Slow clients and slow handlers on the wire of four servers."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.hostile.servers import COMMANDS, Server, serving
from tests.toolkit.server.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE: Final = "tests.integration.sites.slow_site:make_app"


@pytest.fixture(scope="module", params=list(COMMANDS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The slow site on each of them."""
    with serving(request.param, SITE, tmp_path_factory.mktemp("logs")) as up:
        yield up


def opened(server: Server, line: str, *lines: str) -> socket.socket:
    """A connection with a request on it."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall("\r\n".join([line, "Host: localhost", *lines, "", ""]).encode())
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server hangs up."""
    found = b""
    try:
        while part := connection.recv(65536):
            found += part
    except ConnectionError:
        found += b"<reset>"
    return found


def part_of(connection: socket.socket) -> bytes:
    """What comes next of a reply that is not over."""
    part = connection.recv(65536)
    assert part, "the server hung up in the middle of its reply"
    return part


def reply(connection: socket.socket) -> bytes:
    """One whole reply, which says its length."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += part_of(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    (length,) = [
        int(value)
        for name, _, value in (line.partition(b":") for line in head.lower().split(b"\r\n"))
        if name == b"content-length"
    ]
    while len(body) < length:
        body += part_of(connection)
    return head + b"\r\n\r\n" + body


def ask(server: Server, path: str) -> tuple[int, bytes]:
    """Status and body of a GET."""
    with opened(server, f"GET {path} HTTP/1.1", "Connection: close") as connection:
        head, _, body = rest(connection).partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def refused(server: Server) -> list[dict[str, Any]]:
    """The lines of the log about what this layer ended."""
    lines = server.log.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines if '"rejected_by"' in line]
    return [line for line in found if line["rejected_by"] == "timeouts"]


def state(server: Server) -> dict[str, Any]:
    """What became of the handlers so far."""
    found: dict[str, Any] = json.loads(ask(server, "/state")[1])
    return found


def test_a_body_that_stops_is_a_408(server: Server) -> None:
    """The client learns of it once the grace is over, and the connection ends."""
    began = time.monotonic()
    with opened(server, "POST /upload HTTP/1.1", "Content-Length: 1000") as connection:
        connection.sendall(b"half")
        found = reply(connection)
        assert rest(connection) == b""
    assert found.startswith(b"HTTP/1.1 408"), found
    assert b"application/problem+json" in found
    assert b"\r\nconnection: close\r\n" in found.lower()
    assert time.monotonic() - began > 0.4


def test_a_trickle_is_a_408(server: Server) -> None:
    """A byte now and then does not hold a handler."""
    began = time.monotonic()
    with opened(server, "POST /upload HTTP/1.1", "Transfer-Encoding: chunked") as connection:
        connection.settimeout(0.05)
        found = b""
        while not found and time.monotonic() - began < 5:
            connection.sendall(b"1\r\nx\r\n")
            try:
                found = connection.recv(1000)
            except TimeoutError:
                continue
    assert found.startswith(b"HTTP/1.1 408"), found


def test_a_slow_but_steady_body_arrives(server: Server) -> None:
    """It takes six times the grace, and is hardly faster than it must be once it has begun."""
    # On a busy machine it can be the client that is slower, if not each time.
    assert any(sent_at_little_more_than_the_rate(server).startswith(b"HTTP/1.1 200") for _ in range(4))


def sent_at_little_more_than_the_rate(server: Server) -> bytes:
    """The reply to a body of 550 bytes a second, whose beginning lets its sender be late by a second."""
    size = 3 * 550
    with opened(server, "POST /upload HTTP/1.1", f"Content-Length: {500 + size}") as connection:
        connection.sendall(bytes(500))
        began, sent = time.monotonic(), 0
        with suppress(ConnectionError):
            while sent < size:
                time.sleep(0.05)
                due = min(size, int((time.monotonic() - began) * 550))
                connection.sendall(bytes(due - sent))
                sent = due
        return rest_of_reply(connection)


def rest_of_reply(connection: socket.socket) -> bytes:
    """The head of the reply, or what there is of it."""
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def test_an_async_handler_is_cancelled(server: Server) -> None:
    """A 504 in time, and the handler ends."""
    before = state(server)["cancelled"]
    began = time.monotonic()
    status, body = ask(server, "/hang")
    assert (status, json.loads(body)["status"]) == (504, 504)
    assert time.monotonic() - began > 0.4
    wait_for(lambda: state(server)["cancelled"] == before + 1)


def test_a_handler_that_catches_its_cancellation(server: Server) -> None:
    """The client does not wait for it, and what it says at last is no second reply."""
    before = state(server)["finished"]
    with opened(server, "GET /stubborn HTTP/1.1") as connection:
        found = connection.recv(65536)
        while not found.endswith(b"}"):
            found += connection.recv(65536)
        assert found.startswith(b"HTTP/1.1 504"), found
        wait_for(lambda: state(server)["finished"] == before + 1)
        # The connection serves the next request, and nothing came in between.
        connection.sendall(b"GET /state HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert rest(connection).startswith(b"HTTP/1.1 200")


def test_threads_that_go_on_are_counted(server: Server, tmp_path: Path) -> None:
    """Each client has its 504; while too many threads go on, others are told to come back."""
    before = state(server)["threads"]
    told = tmp_path / "told"
    connections = [opened(server, f"GET /thread?until={told} HTTP/1.1") for _ in range(4)]
    for connection in connections:
        assert connection.recv(65536).startswith(b"HTTP/1.1 504")
    with opened(server, "GET /state HTTP/1.1", "Connection: close") as refused:
        found = rest(refused)
    assert found.startswith(b"HTTP/1.1 503"), found
    assert b"retry-after: 1" in found.lower()
    told.touch()
    wait_for(lambda: ask(server, "/state")[0] == 200)
    wait_for(lambda: state(server)["threads"] == before + 4)
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(("path", "end"), [("/poll", b"news"), ("/events", b"data: x\n\n\r\n0\r\n\r\n")])
def test_what_takes_its_time_is_left_alone(server: Server, path: str, end: bytes) -> None:
    """A long poll by a rule, and server-sent events without one."""
    with opened(server, f"GET {path} HTTP/1.1", "Connection: close") as connection:
        found = rest(connection)
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(end), found


@pytest.mark.parametrize("path", ["/download", "/big"])
def test_a_reader_that_stalls_is_given_up(server: Server, path: str) -> None:
    """A stream ends, and so does one message that is larger than what systems hold."""
    before = state(server)["finished"]
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(100)
        wait_for(lambda: [line for line in refused(server) if line["url.path"] == path])
        (line,) = (line for line in refused(server) if line["url.path"] == path)
        assert line["outcome"] == "client_gone"
    if path == "/download":
        assert state(server)["finished"] == before + 1


def test_two_hundred_slow_bodies_are_all_given_up(server: Server) -> None:
    """All within their time and with their connections, and whoever is not slow is served meanwhile."""
    connections = [opened(server, "POST /upload HTTP/1.1", "Content-Length: 1000") for _ in range(200)]
    assert ask(server, "/state")[0] == 200
    # One after the other would take a hundred seconds; none is waited for as long as a socket waits here.
    for connection in connections:
        assert rest(connection).startswith(b"HTTP/1.1 408")
        connection.close()


def test_an_idle_websocket_is_closed(server: Server) -> None:
    """With 1001, and only once nobody says anything."""
    with connect(f"ws://127.0.0.1:{server.port}/echo", open_timeout=5) as websocket:
        for _ in range(4):
            websocket.send("hello")
            assert websocket.recv(timeout=5) == "5"
            time.sleep(0.3)
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(timeout=5)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001


def test_a_large_message_closes_its_websocket(server: Server) -> None:
    """With 1009; the largest that may be is answered."""
    with connect(f"ws://127.0.0.1:{server.port}/echo", open_timeout=5) as websocket:
        websocket.send("x" * 1000)
        assert websocket.recv(timeout=5) == "1000"
        websocket.send("é" * 501)
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(timeout=5)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1009
