"""`garrison run` knows when a client leaves, also where the app does not ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.toolkit.server.conftest import Running, running
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = '''
import asyncio


async def app(scope, receive, send):
    """Takes its time before its reply and in its middle, and never looks whether anybody is there."""
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/late":
        await asyncio.sleep(0.4)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    if scope["path"] == "/slow":
        await asyncio.sleep(0.4)
    await send({"type": "http.response.body", "body": b"12345"})
'''


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An app that is slow."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "slow_app.py").write_text(APP, encoding="utf-8")
    with running(folder, "slow_app:app", directory=folder) as up:
        yield up


def event_of(up: Running, path: str, read: int) -> dict[str, Any]:
    """The event of a request whose client leaves after so many lines of its reply."""
    before = up.settled()
    with connected(up.port) as connection:
        connection.send(f"GET {path} HTTP/1.1", "Host: shop.example")
        for _ in range(read):
            connection.line()
    (event,) = up.events_after(before, 1)
    return event


def test_a_client_that_waits_no_longer_is_a_499(slow: Running) -> None:
    """The app's 200 goes to nobody, and the event says so."""
    event = event_of(slow, "/late", 0)
    assert (event["http.response.status_code"], event["outcome"]) == (499, "client_gone")
    assert event["http.response.body.size"] == 0


def test_a_client_that_leaves_in_the_middle_has_its_status(slow: Running) -> None:
    """What it got before it left is counted."""
    event = event_of(slow, "/slow", 1)
    assert (event["http.response.status_code"], event["outcome"]) == (200, "client_gone")
    assert event["http.response.body.size"] == 5


def test_a_client_that_waits_is_none_of_them(slow: Running) -> None:
    """A connection that is closed after its reply has not been left."""
    before = slow.settled()
    for path in ("/late", "/slow"):
        with connected(slow.port) as connection:
            connection.send(f"GET {path} HTTP/1.1", "Host: shop.example", "Connection: close")
            while connection.line():
                pass
    assert [event["outcome"] for event in slow.events_after(before, 2)] == ["completed"] * 2


def test_a_reply_that_nobody_gets_stops_nobody(tmp_path: Path) -> None:
    """An app that sends without an end and without a pause is not all that runs once its client has left."""
    with running(tmp_path, "pours:app", GARRISON_SERVER_DRAIN_DELAY="0s", GARRISON_SERVER_GRACE="1s") as up:
        with connected(up.port) as connection:
            connection.send("GET / HTTP/1.1", "Host: shop.example")
            connection.line()
        assert ask(up.port, "/livez").status == 200
        assert up.stop() == 0
