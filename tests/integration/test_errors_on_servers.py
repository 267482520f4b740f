"""Failures on the wire of four servers: half a reply is never a whole one, and a traceback is there once."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.hostile.servers import COMMANDS, Server, serving
from tests.toolkit.server.conftest import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACEBACK: Final = "Traceback (most recent call last)"
SITE: Final = "tests.integration.sites.failing_site:make_app"


@pytest.fixture(scope="module", params=list(COMMANDS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The failing site on each of them."""
    with serving(request.param, SITE, tmp_path_factory.mktemp("logs")) as up:
        yield up


def raw(server: Server, *lines: str, body: bytes = b"") -> bytes:
    """Send a request and read until the server hangs up, or has said all that it will."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall("\r\n".join([*lines, "Host: localhost", "", ""]).encode() + body)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except ConnectionError:
            found += b"<reset>"
        return found


def events(server: Server) -> list[dict[str, Any]]:
    """What the layer logged."""
    lines = server.log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"timestamp"')]


class Watched:
    """What a server has logged since a moment."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.before = len(server.log.read_bytes())

    @property
    def text(self) -> str:
        """All of it."""
        return self.server.log.read_bytes()[self.before :].decode()

    def assert_one_traceback(self) -> None:
        """One, in one event of the layer, and nothing of the server's own beside it."""
        wait_for(lambda: TRACEBACK in self.text)
        time.sleep(0.1)
        assert self.text.count(TRACEBACK) == 1, self.text
        assert '"event":"unhandled_exception"' in self.text

    def assert_silent(self) -> None:
        """No traceback at all."""
        time.sleep(0.3)
        assert "Traceback" not in self.text, self.text
        assert '"unhandled_exception"' not in self.text


@pytest.mark.parametrize("query", ["", "?length=1"])
def test_half_a_reply_is_never_whole(server: Server, query: str) -> None:
    """The last chunk is missing, or bytes of the length that was told; then the connection ends."""
    watched = Watched(server)
    found = raw(server, f"GET /half{query} HTTP/1.1")
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"200" in head.splitlines()[0]
    assert b"half of it" in body
    assert not body.endswith(b"0\r\n\r\n")
    assert b"planted-detail" not in found
    watched.assert_one_traceback()


def test_a_fault_is_a_problem(server: Server) -> None:
    """One reply, one traceback, and the id joins them."""
    watched = Watched(server)
    found = raw(server, "GET /boom HTTP/1.1", "Connection: close")
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"500" in head.splitlines()[0]
    identity = json.loads(body)["request_id"]
    assert b"planted-detail" not in found
    watched.assert_one_traceback()
    assert identity in watched.text


@pytest.mark.parametrize(("path", "status", "silent"), [("/teapot", b"418", True), ("/slow", b"504", False)])
def test_statuses_of_groups_and_timeouts(server: Server, path: str, status: bytes, *, silent: bool) -> None:
    """What a task group wraps keeps its status, and a timeout is a 504."""
    watched = Watched(server)
    found = raw(server, f"GET {path} HTTP/1.1", "Connection: close")
    assert status in found.splitlines()[0]
    if silent:
        watched.assert_silent()
    else:
        wait_for(lambda: TRACEBACK in watched.text)


def test_head_has_no_body(server: Server) -> None:
    """A failing HEAD is a head, and the connection serves the next request."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"HEAD /boom HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        found = b""
        while part := connection.recv(65536):
            found += part
    assert found.count(b"HTTP/1.1 ") == 2
    assert found.split(b"\r\n\r\n")[1].startswith(b"HTTP/1.1 200")
    assert found.endswith(b"fine")


def test_a_client_that_leaves_its_upload(server: Server) -> None:
    """Half a body, and the client hangs up: no traceback and no 500."""
    watched = Watched(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
        time.sleep(0.2)
    watched.assert_silent()


def test_a_client_that_leaves_a_download(server: Server) -> None:
    """The reply has begun, and the client hangs up: no traceback, and the app stops."""
    watched = Watched(server)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(1000)
    watched.assert_silent()


def test_websockets_that_fail(server: Server) -> None:
    """A denial before the handshake's answer, 1011 after it, and one traceback for each."""
    watched = Watched(server)
    with pytest.raises((InvalidStatus, ConnectionClosed, OSError)):
        connect(f"ws://127.0.0.1:{server.port}/socket", open_timeout=5).close()
    watched.assert_one_traceback()
    watched = Watched(server)
    with connect(f"ws://127.0.0.1:{server.port}/socket?late=1", open_timeout=5) as websocket:
        with pytest.raises(ConnectionClosed) as caught:
            websocket.recv(timeout=5)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1011
    watched.assert_one_traceback()
