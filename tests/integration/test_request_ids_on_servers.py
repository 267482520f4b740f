"""Request ids on every reply of the servers that people use, with `harden()` and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.hostile.servers import COMMANDS, Server, serving
from tests.integration.identified import BEFORE
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE = re.compile("[0-9a-f]{32}")

HANDSHAKE = (
    "Host: shop.example",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.fixture(scope="module", params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app behind each server."""
    app = "tests.integration.identified:make"
    with serving(request.param, app, tmp_path_factory.mktemp("identified")) as up:
        yield up


def test_the_handler_and_the_reply_have_one_id(server: Server) -> None:
    """Requests on one connection have ids of their own, the same in structlog and on the reply."""
    with connected(server.port) as connection:
        ids = []
        for path in ("/", "/thread", "/"):
            connection.send(f"GET {path} HTTP/1.1", "Host: shop.example")
            reply = connection.reply()
            assert reply.json["request_id"] == reply["x-request-id"]
            ids.append(reply["x-request-id"])
    assert len(set(ids)) == 3
    assert all(map(MADE.fullmatch, ids))


def test_requests_sent_at_once_have_ids_of_their_own(server: Server) -> None:
    """Pipelined requests, which servers start in each other's context, do not inherit an id."""
    with connected(server.port) as connection:
        connection.socket.sendall(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n" * 5)
        replies = [connection.reply() for _ in range(5)]
    assert [reply.json["request_id"] for reply in replies] == [reply["x-request-id"] for reply in replies]
    assert len({reply["x-request-id"] for reply in replies}) == 5


@pytest.mark.parametrize(("path", "status"), [("/boom", 500), ("/nothing-here", 404)])
def test_failures_have_an_id(server: Server, path: str, status: int) -> None:
    """A 500 and a 404 carry the id; that of the problem document is the same."""
    reply = ask(server.port, path)
    assert reply.status == status
    assert MADE.fullmatch(reply["x-request-id"])
    if status == 500:
        assert reply.json["request_id"] == reply["x-request-id"]


@pytest.mark.parametrize(("path", "status"), [("/accepts", 101), ("/refuses", 403)])
def test_handshakes_have_an_id(server: Server, path: str, status: int) -> None:
    """The acceptance and the denial of a WebSocket carry it, where the server can send a denial."""
    with connected(server.port) as connection:
        connection.send(f"GET {path} HTTP/1.1", *HANDSHAKE)
        reply = connection.reply()
    assert reply.status == status
    if server.name == "granian" and status == 101:
        # Granian 2.8 sends no header of an acceptance; when it does, the id is among them.
        assert "x-request-id" not in reply
    else:
        assert MADE.fullmatch(reply["x-request-id"])


def test_nothing_global_is_changed(server: Server) -> None:
    """Without `garrison run`, logging, structlog, warnings and tracing are as the server leaves them."""
    assert ask(server.port).json["state"] == BEFORE
