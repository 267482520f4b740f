"""Commands that send a request once more: they send those bytes."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from garrison_harness.exchange import Request
from garrison_harness.report.replay import command
from tests.missing import do_without

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = re.compile(r"127\.0\.0\.1(:\d+)?")


def request(*pieces: bytes | float) -> Request:
    """A request of these pieces."""
    return Request(method="GET", target="/", pieces=pieces)


def sent(head: str, *headers: str, body: str = "") -> bytes:
    """The bytes of a request."""
    return "\r\n".join((f"{head} HTTP/1.1", *headers, "", body)).encode()


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A server that keeps what it is sent, and answers the first request."""
    taken: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(10)

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536)
            head, _, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            while length and len(body) < int(length[1]):
                body += connection.recv(65536)
            taken.append(head + b"\r\n\r\n" + body)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.getsockname()[1], taken
        thread.join(10)
    finally:
        server.close()


def parts(data: bytes) -> tuple[bytes, set[bytes], bytes]:
    """Request line, headers in any order, and body."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, *headers = head.split(b"\r\n")
    return line, set(headers), body


@pytest.mark.parametrize(
    "asked",
    [
        sent("GET /a/../b?x=%00&y=[1-3]", "Host: {own}", "User-Agent: garrison-check", "Accept: */*"),
        sent("GET /", "Host: evil.example", 'X-Odd: it\'s "quoted" $HOME `x` !y'),
        sent("HEAD /", "Host: {own}", "X-Empty:"),
        sent("GARRISON /", "Host: {own}", "Accept: text/html"),
        sent("GET http://evil.example/", "Host: {own}"),
        sent(
            "POST /json",
            "Host: {own}",
            "Content-Type: application/json",
            "Content-Length: 9",
            body='{"a": 1}\n',
        ),
        sent("PUT /", "Host: {own}", "Content-Length: 5", body="@file"),
        sent("POST /", "Host: {own}"),
        sent("OPTIONS *", "Host: {own}", "Cookie: a=b", "Cookie: c=d"),
    ],
    ids=lambda asked: asked.split(b" HTTP")[0].decode(),
)
def test_curl_sends_what_was_sent(asked: bytes) -> None:
    """The same request line, headers and body; the host is that of the address where it was the target's."""
    if shutil.which("curl") is None:
        do_without("curl is missing: apt-get install curl")
    with listening() as (port, taken):
        data = asked.replace(b"{own}", f"127.0.0.1:{port}".encode())
        words = command(request(data), f"http://127.0.0.1:{port}", OWN)
        done = subprocess.run(["sh", "-c", words], capture_output=True, timeout=20, check=False)

    assert words.startswith("curl ")
    assert done.returncode == 0
    line, headers, body = parts(taken[0])
    wanted_line, wanted, wanted_body = parts(data)
    assert (line, body) == (wanted_line, wanted_body)
    assert {header.rstrip() for header in headers} == wanted


@pytest.mark.parametrize(
    "pieces",
    [
        (sent("GET /"),),
        (sent("GET /", "Host: a", "Host: b"),),
        (sent("POST /", "Host: a", "Transfer-Encoding: chunked", body="0\r\n\r\n"),),
        (sent("POST /", "Host: a", "Content-Length: 3", body="\x00\x01'"),),
        (b"GET /%25\\n'x' HTTP/1.1\nHost: a\n\n",),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",),
        (sent("POST /", "Host: a", body="of no length"),),
        (b"GET / HTT", 0.5, b"-P/1.1\r\nHost: \xc3\xa9\r\n\r\n"),
    ],
)
def test_what_curl_would_mend_is_sent_byte_by_byte(pieces: tuple[bytes | float, ...]) -> None:
    """A shell writes exactly the bytes of the request, in the pieces that it came in."""
    words = command(request(*pieces), "http://127.0.0.1:8000", OWN)
    script = f"sleep() {{ :; }}; nc() {{ cat; }}; {words}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, timeout=20, check=True)

    assert words.endswith("| nc 127.0.0.1 8000")
    assert done.stdout == b"".join(piece for piece in pieces if isinstance(piece, bytes))
    assert words.count("sleep") == 1 + sum(isinstance(piece, float) for piece in pieces)


def test_tls_is_spoken_where_it_was() -> None:
    """A self-signed certificate is taken as the audit takes it, and raw bytes go through TLS too."""
    plain = command(request(sent("GET /", "Host: 127.0.0.1")), "https://127.0.0.1:8443", OWN)
    raw = command(request(sent("GET /")), "https://[::1]:8443", OWN)

    assert "--insecure" in plain
    assert raw.endswith("| openssl s_client -quiet -connect [::1]:8443")


def test_nobody_pastes_a_megabyte() -> None:
    """There is no command for a request that is too long for one."""
    assert command(request(sent("POST /", "Host: a"), b"x" * 5000), "http://127.0.0.1:8000", OWN) == ""
