"""The probe against servers that answer well, badly, late and not at all."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.exchange import Request
from garrison_harness.probe import Budget, Probe, has_addresses
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GET = Request(method="GET", target="/", pieces=(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nx-twice: b\r\n\r\nhi"


@contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that holds one conversation on each connection, on the port that is given."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(5)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        # A listening socket only wakes the thread that waits on it when it is shut down.
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def probe(port: int, *, timeout: float = 2.0, requests: int = 100, seconds: float = 10) -> Probe:
    """A probe with a budget of its own."""
    budget = Budget(deadline=time.monotonic() + seconds, requests=requests)
    return Probe(host="127.0.0.1", port=port, https=False, budget=budget, request_timeout=timeout)


def answering(data: bytes) -> Callable[[socket.socket], None]:
    """A conversation: read something, say `data`, hang up."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)

    return talk


def test_tls_asks_for_the_name_that_the_requests_carry() -> None:
    """A server with a certificate for each name picks it by this, and may refuse a Host that differs."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def note(_connection: object, name: str | None, _context: ssl.SSLContext) -> int:
        names.append(name)
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = note

    def greet(connection: socket.socket) -> None:
        with suppress(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    budget = Budget(deadline=time.monotonic() + 10, requests=10)
    with serving(greet) as port:
        asking = Probe(host="127.0.0.1", port=port, https=True, budget=budget, name="shop.example")
        reply = asking.ask(GET)

    assert names == ["shop.example"]
    assert reply.failure == "refused"


def test_a_reply_is_recorded_as_it_was_sent() -> None:
    """Names keep their case and duplicates stay two headers."""
    with serving(answering(OK)) as port:
        reply = probe(port).ask(GET)

    assert (reply.status, reply.reason, reply.body, reply.failure) == (200, "OK", b"hi", None)
    assert ("X-Twice", "a") in reply.headers
    assert ("x-twice", "b") in reply.headers
    assert reply.raw == OK


def test_a_stream_without_end_is_read_for_as_long_as_the_request_says() -> None:
    """The head counts from when it is there, so that a slow app is not mistaken for a stream."""

    def stream(connection: socket.socket) -> None:
        connection.recv(65536)
        time.sleep(0.4)
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"more")
                time.sleep(0.05)

    with serving(stream) as port:
        reply = probe(port, timeout=5).ask(replace(GET, reading=0.2))

    assert (reply.status, reply.failure) == (200, "timeout")
    assert reply.body.startswith(b"more")
    assert reply.elapsed < 2


@pytest.mark.parametrize(
    ("data", "status", "failure"),
    [
        (b"", None, "closed"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", None, "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi", None, "malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", 200, "truncated"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, None),
    ],
)
def test_what_is_wrong_with_a_reply_has_a_name(data: bytes, status: int | None, failure: str | None) -> None:
    """A server that does not speak HTTP is evidence, not an error of the tool."""
    with serving(answering(data)) as port:
        reply = probe(port).ask(GET)

    assert (reply.status, reply.failure) == (status, failure)
    assert reply.raw == data
    assert ("no HTTP reply (" in reply.outcome) == (failure == "malformed")


def test_a_server_that_never_answers_ends_in_a_timeout() -> None:
    """One exchange takes no longer than its bound."""
    with serving(lambda _: time.sleep(0.5)) as port:
        start = time.monotonic()
        reply = probe(port, timeout=0.2).ask(GET)

    assert reply.failure == "timeout"
    assert time.monotonic() - start < 2


def test_a_closed_port_is_refused() -> None:
    """Nothing listens: the reply says so."""
    assert probe(free_port()).ask(GET).failure == "refused"


def test_sending_ends_when_the_server_refuses() -> None:
    """An early 413 is read although most of the body was never sent, and nobody waits for the end."""
    asked = threading.Event()

    def refuse(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(
            b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        # It reads no further, and hangs up once the probe is back, which has no time for more than that.
        asked.wait(20)

    upload = Request(method="POST", target="/", pieces=(b"POST / HTTP/1.1\r\n\r\n", *[b"a" * 65536] * 400))
    with serving(refuse) as port:
        reply = probe(port).ask(upload)
        asked.set()

    assert (reply.status, reply.failure) == (413, None)
    assert 0 < reply.sent < upload.size


def test_a_pause_ends_when_the_server_answers() -> None:
    """What comes after the pause is not sent to a server that has refused."""
    patient = Request(method="POST", target="/", pieces=(b"POST / HTTP/1.1\r\n\r\n", 5.0, b"never sent"))
    with serving(answering(OK)) as port:
        reply = probe(port).ask(patient)

    assert reply.status == 200
    assert reply.sent == len(patient.pieces[0])  # type: ignore[arg-type]
    assert reply.elapsed < 2


def test_what_follows_a_reply_is_kept() -> None:
    """Bytes after the reply are listened for when a check asks for it."""
    head = Request(method="HEAD", target="/", pieces=(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",), linger=0.5)
    with serving(answering(OK)) as port:
        reply = probe(port).ask(head)

    assert (reply.body, reply.rest) == (b"", b"hi")


def test_an_endless_reply_is_cut_off() -> None:
    """A stream is judged by its beginning."""

    def stream(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"a" * 65536)
        except OSError:
            return

    with serving(stream) as port:
        reply = probe(port).ask(GET)

    assert reply.status == 200
    assert reply.failure is None
    assert len(reply.body) <= 256 * 1024


def test_nothing_is_sent_without_a_budget() -> None:
    """Requests and time of an audit are bounded."""
    with serving(answering(OK)) as port:
        spent = probe(port, requests=1)
        assert spent.ask(GET).failure is None
        assert spent.ask(GET).failure == "abandoned"
        assert probe(port, seconds=0).ask(GET).failure == "abandoned"


def test_each_request_can_come_from_an_address_of_its_own() -> None:
    """The server sees the loopback address that the probe was given."""
    peers: list[str] = []

    def remember(connection: socket.socket) -> None:
        peers.append(connection.getpeername()[0])
        answering(OK)(connection)

    with serving(remember) as port:
        if not has_addresses("127.0.0.1", port):
            pytest.skip("this system has one loopback address only")
        probe(port).ask(GET, source="127.9.8.7")

    assert peers[1:] == ["127.9.8.7"]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this system speaks no IPv6")
def test_a_server_on_ipv6_is_asked_from_the_one_address_there_is() -> None:
    """Whether a stranger can be played is found out at the port itself, whatever its name stands for."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert not has_addresses("::1", server.getsockname()[1])


def test_a_page_beyond_the_bound_has_no_rest() -> None:
    """What is cut off is content of the reply, and nothing that follows it."""
    size = 6_000_000
    large = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size
    with serving(answering(large)) as port:
        reply = probe(port).ask(replace(GET, linger=0.3))

    assert (reply.status, reply.failure, reply.rest) == (200, None, b"")


def test_a_request_says_how_much_of_its_reply_is_kept() -> None:
    """Hundreds of replies in a burst take no more memory than their heads."""
    with serving(answering(OK)) as port:
        reply = probe(port).ask(replace(GET, kept=1))

    assert (reply.status, reply.body, reply.failure) == (200, b"h", None)
