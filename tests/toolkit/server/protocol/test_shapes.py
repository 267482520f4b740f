"""Ambiguous requests are refused below ASGI, on both parsers, and sound ones are not."""

from __future__ import annotations

import re
import socket
import time
from typing import TYPE_CHECKING, Final

import pytest
from websockets.sync.client import connect

from tests.toolkit.server.protocol.guarded import PARSERS, Guarded, guarded
from tests.toolkit.server.protocol.shapes import HOST, LENGTH, REFUSED, SERVED, get, head, post
from tests.toolkit.server.wire import connected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=list(PARSERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server with nothing set, on each parser."""
    with guarded(request.param, tmp_path_factory.mktemp("shapes")) as up:
        yield up


@pytest.mark.parametrize("name", REFUSED)
def test_an_ambiguous_request_is_refused(server: Guarded, name: str) -> None:
    """It gets an answer, a line in the log and the end of its connection, and no handler."""
    sent, reasons = REFUSED[name]
    before = server.settled()
    with connected(server.port) as connection:
        connection.socket.sendall(sent)
        reply = connection.reply()
        assert connection.is_closed()
        address = connection.socket.getsockname()
    event = server.wait_for("connection.refused", before)
    assert event["reason"] in reasons
    assert event["http.response.status_code"] == reply.status == reply.json["status"]
    assert reply["connection"] == "close"
    assert reply["content-type"] == "application/problem+json"
    assert (event["network.peer.address"], event["network.peer.port"]) == address
    assert [each for each in server.events[before:] if each.get("outcome") == "completed"] == []


@pytest.mark.parametrize("name", SERVED)
def test_an_unusual_request_is_served(server: Guarded, name: str) -> None:
    """What is allowed, and what clients do, goes on working, with no line of the trailers in the headers."""
    sent, body = SERVED[name]
    with connected(server.port) as connection:
        connection.socket.sendall(sent)
        reply = connection.reply()
    assert reply.status == 200
    assert reply.json["body"] == body
    assert "x-trailer" not in dict(reply.json["lines"])


SHORT: Final = [name for name, (sent, _) in SERVED.items() if len(sent) < 1000]


@pytest.mark.parametrize("name", SHORT)
def test_a_request_may_come_in_pieces(server: Guarded, name: str) -> None:
    """Wherever a network cuts it, even inside of a line end, it is the same request."""
    sent, body = SERVED[name]
    with connected(server.port) as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in re.findall(rb"[^\r\n]+|\r|\n", sent):
            connection.socket.sendall(piece)
            time.sleep(0.002)
        reply = connection.reply()
    assert (reply.status, reply.json["body"]) == (200, body)


def test_line_ends_between_requests_are_nothing(server: Guarded) -> None:
    """Old clients put one behind a body, and it may come together with what is before and after it."""
    with connected(server.port) as connection:
        connection.socket.sendall(post(LENGTH) + b"\r\n" + get())
        assert [connection.reply().json["body"] for _ in range(2)] == ["abc", ""]
        connection.socket.sendall(post(LENGTH) + b"\r\n")
        assert connection.reply().json["body"] == "abc"
        connection.socket.sendall(get())
        assert connection.reply().status == 200


def test_requests_in_a_row_are_answered_in_their_order(server: Guarded) -> None:
    """Pipelining works, and a request that is refused takes no reply from those before it."""
    with connected(server.port) as connection:
        sent = b"".join(head(b"GET /%d HTTP/1.1" % number, HOST) for number in range(3))
        connection.socket.sendall(sent + get(b"X : y"))
        assert [connection.reply().json["path"] for _ in range(3)] == ["/0", "/1", "/2"]
        while not connection.is_closed():
            pass


def test_a_connection_is_kept(server: Guarded) -> None:
    """One request after the other goes over one connection, as does one behind an early reply."""
    with connected(server.port) as connection:
        for number in range(3):
            connection.socket.sendall(head(b"GET /%d HTTP/1.1" % number, HOST))
            assert connection.reply().json["path"] == f"/{number}"
        connection.socket.sendall(head(b"POST /early HTTP/1.1", HOST, b"Content-Length: 6"))
        assert connection.reply().body == b"too soon"
        connection.socket.sendall(b"abcdef" + get())
        assert connection.reply().json["path"] == "/shape"


def test_a_client_that_asks_whether_to_go_on_is_told(server: Guarded) -> None:
    """Expect: 100-continue is answered when the app reads."""
    with connected(server.port) as connection:
        connection.socket.sendall(head(b"POST /shape HTTP/1.1", HOST, LENGTH, b"Expect: 100-continue"))
        assert connection.line() == b"HTTP/1.1 100 Continue\r\n"
        connection.line()
        connection.socket.sendall(b"abc")
        assert connection.reply().json["body"] == "abc"


def test_a_client_that_would_rather_speak_http_2_is_served(server: Guarded) -> None:
    """A body behind `Upgrade: h2c`, as Java's client sends it, is a body and not the next request."""
    lines = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    smuggled = get()
    with connected(server.port) as connection:
        connection.socket.sendall(
            head(b"POST /shape HTTP/1.1", HOST, *lines, b"Content-Length: %d" % len(smuggled))
        )
        connection.socket.sendall(smuggled)
        assert connection.reply().json["body"] == smuggled.decode()
        connection.socket.sendall(head(b"GET /next HTTP/1.1", HOST))
        assert connection.reply().json["path"] == "/next"


@pytest.mark.parametrize("target", [b"http://other.example/items?a=b", b"http://other.example?a=b"])
def test_a_target_with_a_host_names_the_host(server: Guarded, target: bytes) -> None:
    """The path is the path, and the Host header is what the target says."""
    with connected(server.port) as connection:
        connection.socket.sendall(head(b"GET " + target + b" HTTP/1.1", HOST))
        found = connection.reply().json
    assert (found["path"], found["query"]) == ("/items" if b"items" in target else "/", "a=b")
    assert dict(found["lines"])["host"] == "other.example"


def test_a_question_about_the_whole_server_is_served(server: Guarded) -> None:
    """OPTIONS * is a request."""
    with connected(server.port) as connection:
        connection.socket.sendall(head(b"OPTIONS * HTTP/1.1", HOST))
        assert connection.reply().status == 200


def test_a_websocket_is_opened(server: Guarded) -> None:
    """The handshake goes on to the protocol for WebSockets, and no deadline follows it."""
    with connect(f"ws://127.0.0.1:{server.port}/shape") as websocket:
        websocket.send("hello")
        assert websocket.recv(timeout=5) == "hello"
