"""What a client sees of its connection when it is refused before all is said, under each server."""

from __future__ import annotations

import json
import select
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.hostile.case import FORM, JSON, request
from tests.hostile.servers import COMMANDS, Server, serving
from tests.toolkit.server.wire import Connection, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

UPLOAD: Final = 30_000_000

# What kernels and servers may have taken in when the refusal arrives; the loopback's buffers are generous.
DRAINED: Final = 10_000_000


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each server with the hardened app."""
    with serving(request.param, "tests.hostile.app:hardened", tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (request(b"/raw", b"[" * 100), 400),
        (request(b"/raw", b"[" * 1000, content_type=b"text/plain"), 400),
        (request(b"/items/%00", b"x" * 1000, content_type=FORM), 400),
        (request(b"/" + b"a" * 17_000, b"x" * 1000), 414),
        (request(b"/items/1", b"x" * 1000, method=b"TRACE"), 405),
        (request(b"/raw", b"x" * 1000, b"Content-Encoding: gzip, gzip, gzip"), 415),
        (request(b"/vault", b'{"name": "x"}'), 401),
        (request(b"/vault", b"x" * 60_000, content_type=b"text/plain"), 401),
        (request(b"/orders", b"x" * 60_000, content_type=b"text/plain"), 415),
        (request(b"/orders", b'{"name": 1}'), 422),
    ],
)
def test_the_next_request_on_a_kept_connection_is_answered(
    server: Server, refused: bytes, status: int
) -> None:
    """A refusal leaves the connection where the next request begins, though the app never read the body."""
    with connected(server.port) as connection:
        for _ in range(2):
            connection.socket.sendall(refused)
            reply = connection.reply()
            assert (reply.status, reply["content-type"]) == (status, "application/problem+json")
        connection.socket.sendall(request(b"/orders", b'{"name": "x"}'))
        assert connection.reply().json == {"tags": 0}


@pytest.mark.parametrize(
    ("target", "kind", "status"),
    [
        (b"/orders", JSON, 413),
        (b"/form", FORM, 413),
        (b"/orders", b"application/octet-stream", 415),
        (b"/vault", b"application/octet-stream", 401),
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_a_large_upload_is_not_drained(
    server: Server, target: bytes, kind: bytes, status: int, *, is_chunked: bool
) -> None:
    """Thirty megabytes are refused while most of them are still at the client."""
    piece = b" " * 65_536
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % UPLOAD
    start = b"POST " + target + b" HTTP/1.1\r\nHost: a\r\nContent-Type: "
    head = start + kind + b"\r\n" + framing + b"\r\n\r\n"
    sent = 0
    with connected(server.port) as connection:
        connection.socket.sendall(head)
        with suppress(ConnectionError):
            while sent < UPLOAD and not has_answered(connection):
                connection.socket.sendall(b"10000\r\n" + piece + b"\r\n" if is_chunked else piece)
                sent += len(piece)
        assert sent < DRAINED
        with suppress(ConnectionError):
            assert connection.reply().status == status


def has_answered(connection: Connection) -> bool:
    """Whether some of a reply is there, without waiting for it."""
    readable, _, _ = select.select([connection.socket], [], [], 0)
    return bool(readable)


@pytest.mark.parametrize(
    ("target", "size", "status", "detail"),
    [
        ("/raw", UPLOAD, 413, "The body is longer than 10000000 bytes."),
        ("/vault", 100_000, 401, None),
    ],
)
def test_an_expected_refusal_needs_no_body(
    server: Server, target: str, size: int, status: int, detail: str | None
) -> None:
    """Who asks before it sends is told by the header lines alone, and the connection ends."""
    with connected(server.port) as connection:
        connection.send(
            f"POST {target} HTTP/1.1", "Host: a", "Content-Type: application/json",
            f"Content-Length: {size}", "Expect: 100-continue",
        )  # fmt: skip
        reply = connection.reply()
        if reply.status == 100:
            assert server.name == "hypercorn", "it says so before any app is asked"
            reply = connection.reply()
        assert reply.status == status
        assert json.loads(reply.body).get("detail") == detail
        assert connection.is_closed()
