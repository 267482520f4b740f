"""Clients that keep the server waiting are let go, on both parsers, and those that only take long are not."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.neighbour import neighbour
from tests.toolkit.server.protocol.echoing import LARGE
from tests.toolkit.server.protocol.guarded import PARSERS, Guarded, guarded
from tests.toolkit.server.protocol.shapes import HOST, LENGTH, UPGRADE, get, head
from tests.toolkit.server.wire import Connection, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

# So large that a parser has it in few pieces, each of which is more than uvicorn keeps reading for.
WHOLE = bytes(900_000)

SETTINGS = {
    "GARRISON_SERVER_HEADER_TIMEOUT": "400ms",
    "GARRISON_SERVER_KEEP_ALIVE": "300ms",
    "GARRISON_TIMEOUTS_READER": "400ms",
}


@pytest.fixture(scope="module", params=list(PARSERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that waits for a short time, on each parser."""
    with guarded(request.param, tmp_path_factory.mktemp("deadlines"), **SETTINGS) as up:
        yield up


@pytest.fixture(scope="module", params=list(PARSERS))
def patient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that lets handlers go on whose clients have left, on each parser."""
    folder = tmp_path_factory.mktemp("patient")
    with guarded(request.param, folder, GARRISON_SERVER_CANCEL_ON_DISCONNECT="off") as up:
        yield up


@pytest.fixture(scope="module", params=list(PARSERS))
def cancelling(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A server that cancels them, on each parser."""
    folder = tmp_path_factory.mktemp("cancelling")
    with guarded(request.param, folder, GARRISON_SERVER_CANCEL_ON_DISCONNECT="on") as up:
        yield up


@contextmanager
def no_sooner_than(least: float) -> Iterator[None]:
    """Check that the block takes so many seconds; that it ends at all is the server's doing."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start >= least


@contextmanager
def about(least: float) -> Iterator[None]:
    """Check that the block takes so many seconds, and nothing like what is usual where nothing is set."""
    with no_sooner_than(least), neighbour() as beside:
        yield
        assert beside.seconds < 3


@contextmanager
def in_time(server: Guarded, *parts: bytes) -> Iterator[Connection]:
    """A connection with these parts sent on it, a moment apart, and something that comes back.

    On a busy machine it can be the client that is late; then there is nothing to see, and it tries again.
    """
    for _ in range(20):
        with connected(server.port) as connection:
            for part in parts:
                connection.socket.sendall(part)
                time.sleep(0.01)
            if not connection.socket.recv(12, socket.MSG_PEEK).endswith(b" 408"):
                yield connection
                return
    pytest.fail("no request was in time")


def trickle(connection: Connection, sent: bytes, pause: float = 0.03) -> None:
    """Send byte by byte until somebody answers, or all is sent."""
    connection.socket.settimeout(pause)
    for place in range(len(sent)):
        try:
            connection.socket.sendall(sent[place : place + 1])
            connection.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue
        except ConnectionError:
            pass  # the server has ended the connection while the byte was on its way
        break
    connection.socket.settimeout(10)


def test_a_head_that_comes_byte_by_byte_is_a_408(server: Guarded) -> None:
    """The time is that of the whole head, whatever comes in it."""
    with about(0.3), connected(server.port) as connection:
        peer = connection.socket.getsockname()[1]
        trickle(connection, get())
        assert connection.reply().status == 408
        assert connection.is_closed()
    assert server.wait_for("connection.refused", peer=peer)["reason"] == "head_timeout"


def test_a_slow_second_head_is_a_408(server: Guarded) -> None:
    """A connection that has been of use has no more time than another."""
    with no_sooner_than(0.3), in_time(server, get() + get()[:1]) as connection:
        assert connection.reply().status == 200
        trickle(connection, get()[1:])
        assert connection.reply().status == 408


def test_a_connection_without_a_request_ends(server: Guarded) -> None:
    """Browsers open some that they do not use, and so there is no line in the log."""
    with no_sooner_than(0.3), connected(server.port) as connection:
        peer = connection.socket.getsockname()[1]
        assert connection.is_closed()
    assert [event for event in server.events if peer in event.values()] == []


def test_line_ends_keep_no_connection(server: Guarded) -> None:
    """What may come before a request is no request."""
    with no_sooner_than(0.3), in_time(server, get() + b"\r\n") as connection:
        connection.reply()
        trickle(connection, b"\r\n" * 40)
        while not connection.is_closed():
            pass


def test_a_kept_connection_ends(server: Guarded) -> None:
    """The time between two requests is the other setting."""
    with in_time(server, get()) as connection, about(0.2):
        connection.reply()
        assert connection.is_closed()


def test_a_body_that_nobody_wants_ends(server: Guarded) -> None:
    """After the reply a client has the time of a head to finish."""
    upload = head(b"POST /early HTTP/1.1", HOST, b"Content-Length: 1000")
    with no_sooner_than(0.3), in_time(server, upload) as connection:
        peer = connection.socket.getsockname()[1]
        assert connection.reply().body == b"too soon"
        trickle(connection, b"x" * 1000)
        assert connection.is_closed()
    assert server.wait_for("connection.refused", peer=peer)["reason"] == "unread_body"


def test_a_slow_handler_is_waited_for(server: Guarded) -> None:
    """A deadline for what the client sends is none for the app, even if the next head has begun."""
    with in_time(server, head(b"GET /late HTTP/1.1", HOST) + b"GET /next") as connection:
        assert connection.reply().status == 200


def test_a_websocket_has_no_deadline(server: Guarded) -> None:
    """A handshake that comes in two parts is in time, and the connection is none of HTTP's from then on."""
    handshake = head(b"GET /shape HTTP/1.1", HOST, *UPGRADE)
    with in_time(server, handshake[:30], handshake[30:]) as connection:
        assert connection.line() == b"HTTP/1.1 101 Switching Protocols\r\n"
        while connection.line() != b"\r\n":
            pass
        connection.socket.settimeout(0.8)
        with pytest.raises(TimeoutError):
            connection.socket.recv(1)


def test_a_reply_that_nobody_takes_ends(server: Guarded) -> None:
    """What an app has left with the server is not kept for a client that does not read."""
    before = server.settled()
    with about(0.3), ExitStack() as stack:
        # How much the kernel takes in place of the client differs; some of these are more by a little.
        for size in range(1, 17):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(head(b"GET /large?%d HTTP/1.1" % (size * 256 * 1024), HOST))
        assert server.wait_for("connection.refused", before)["reason"] == "stalled_reader"
        while server.connections:
            time.sleep(0.05)


def test_a_reply_that_is_taken_slowly_goes_out(server: Guarded) -> None:
    """A client that reads all the time gets everything, in many times the time that it may do nothing."""
    # On a busy machine it can be the client that does nothing for too long, if not each time.
    assert any(taken_slowly(server.port) > LARGE for _ in range(5))


def taken_slowly(port: int) -> int:
    """Bytes of a reply that a client gets which reads a little at a time."""
    with socket.socket() as client, suppress(ConnectionError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        client.connect(("127.0.0.1", port))
        client.sendall(head(b"GET /large HTTP/1.1", HOST, b"Connection: close"))
        size = 0
        while data := client.recv(128 * 1024):
            size += len(data)
            time.sleep(0.02)
        return size
    return 0


def test_a_refused_client_may_finish(server: Guarded) -> None:
    """The answer is there for one that sends everything before it reads, and that is not kept for long."""
    with in_time(server, get(b"X : y") + b"x" * 500_000) as connection:
        assert connection.reply().status == 400
        assert connection.is_closed()
        with suppress(ConnectionError):
            while True:
                connection.socket.sendall(b"x")
                time.sleep(0.01)


def left(up: Guarded, sent: bytes) -> str:
    """How a handler ends whose client leaves in the middle of it; its line of the log is written by then."""
    before = up.settled()
    with connected(up.port) as connection:
        connection.socket.sendall(sent)
        up.wait_for("handler begun", before)
    event = up.wait_for("http.request", before, path="/stays")
    assert (event["http.response.status_code"], event["outcome"]) == (499, "client_gone")
    return str(up.wait_for("handler", before)["ended"])


def test_a_handler_ends_with_its_client_if_asked_to(cancelling: Guarded) -> None:
    """With `GARRISON_SERVER_CANCEL_ON_DISCONNECT`; the log says 499 and no failure."""
    assert left(cancelling, head(b"POST /stays HTTP/1.1", HOST, LENGTH, body=b"abc")) == "cancelled"
    with connected(cancelling.port) as connection:
        connection.socket.sendall(get())
        assert connection.reply().status == 200


def test_a_handler_goes_on_without_its_client(patient: Guarded) -> None:
    """Unless it is to be cancelled; the log says 499 and no failure here, too."""
    assert left(patient, head(b"POST /stays HTTP/1.1", HOST, LENGTH, body=b"abc")) == "on its own"
    with connected(patient.port) as connection:
        connection.socket.sendall(get())
        assert connection.reply().status == 200


def test_a_client_with_a_large_body_is_seen_to_leave(cancelling: Guarded) -> None:
    """Also where so much of it comes at once that reading stops until the handler has taken it."""
    length = b"Content-Length: %d" % len(WHOLE)
    assert left(cancelling, head(b"POST /stays HTTP/1.1", HOST, length, body=WHOLE)) == "cancelled"


def test_a_body_that_breaks_off_is_told_to_its_handler(patient: Guarded) -> None:
    """A broken chunk is a 400 as long as there is no reply, and the end of the connection afterwards."""
    lines = (HOST, b"Transfer-Encoding: chunked")
    with connected(patient.port) as connection:
        connection.socket.sendall(head(b"POST /shape HTTP/1.1", *lines, body=b"3\r\nabc\r\n"))
        time.sleep(0.1)
        connection.socket.sendall(b"broken\r\n")
        assert connection.reply().status == 400
    with connected(patient.port) as connection:
        connection.socket.sendall(head(b"POST /begins HTTP/1.1", *lines, body=b"3\r\nabc\r\n"))
        assert connection.line() == b"HTTP/1.1 200 OK\r\n"
        time.sleep(0.1)
        connection.socket.sendall(b"broken\r\n")
        rest = b""
        try:
            while line := connection.line():
                rest += line
        except ConnectionError:
            pass
        assert b"HTTP/1.1 400" not in rest


def test_every_handler_of_a_connection_is_told(patient: Guarded) -> None:
    """A client that leaves with one request under way and another behind it has left both."""
    before = patient.settled()
    with connected(patient.port) as connection:
        connection.socket.sendall(head(b"GET /listens HTTP/1.1", HOST) + get())
        patient.wait_for("handler begun", before)
    assert patient.wait_for("handler", before)["ended"] == "told"
