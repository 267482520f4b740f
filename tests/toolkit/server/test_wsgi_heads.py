"""When the reply of a WSGI app under `garrison run` begins (PEP 3333, "The start_response() Callable")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app with one thread."""
    with running(tmp_path_factory.mktemp("heads"), "heads:app", GARRISON_SERVER_WSGI_THREADS="1") as up:
        yield up


def failure_of(up: Running, path: str) -> dict[str, Any]:
    """The event of the exception that a path has raised."""

    def found() -> list[dict[str, Any]]:
        return [
            event
            for event in up.events
            if (event["event"], event.get("url.path")) == ("unhandled_exception", path)
        ]

    wait_for(found)
    (event,) = found()
    return event


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/fails-at-first", "no database"),
        ("/twice", "start_response() was called twice"),
        ("/never", "has not called start_response()"),
        ("/stops", "StopIteration"),
    ],
)
def test_an_app_that_fails_before_the_first_byte(path: str, said: str, heads: Running) -> None:
    """Its client gets a whole 500 with an id, as from an app that fails in its handler, and the log why."""
    reply = ask(heads.port, path)
    assert (reply.status, reply["content-type"]) == (500, "application/problem+json")
    event = failure_of(heads, path)
    assert event["request_id"] == reply.json["request_id"]
    assert said in event["exception.message"]


@pytest.mark.parametrize("path", ["/fails-later", "/instead-too-late"])
def test_an_app_that_fails_behind_the_first_byte(path: str, heads: Running) -> None:
    """What is sent is sent: its client sees that the rest is missing, and nothing else comes in its place."""
    with connected(heads.port) as connection:
        connection.send(f"GET {path} HTTP/1.1", "Host: shop.example")
        assert connection.line().startswith(b"HTTP/1.1 200 ")
        while connection.line() != b"\r\n":
            pass
        assert (connection.line(), connection.line()) == (b"4\r\n", b"some\r\n")
        assert connection.is_closed()
    assert failure_of(heads, path)["exception.message"] == "no database"


def test_another_reply_in_place_of_the_first(heads: Running) -> None:
    """An app that finds out too late for its handler, and in time for its client, is taken at its word."""
    reply = ask(heads.port, "/instead")
    assert (reply.status, reply.body) == (503, b"later")
    assert "x-first" not in reply


@pytest.mark.parametrize(("path", "status", "body"), [("/written", 201, b"abc"), ("/empty", 204, b"")])
def test_replies_of_every_kind(path: str, status: int, body: bytes, heads: Running) -> None:
    """Written piece by piece, or a head and nothing else."""
    reply = ask(heads.port, path)
    assert (reply.status, reply.body) == (status, body)
