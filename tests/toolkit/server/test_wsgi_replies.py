"""A thread of a WSGI app under `garrison run` is free again when nobody gets its reply any more."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest

from garrison.server.wsgi import FromWSGI
from tests.toolkit.server.apps import uploads
from tests.toolkit.server.conftest import Running, running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from garrison.asgi import Message, Scope

HOST = "Host: shop.example"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app with one thread, for which a reader may take nothing for a moment."""
    with running(
        tmp_path_factory.mktemp("one"),
        "uploads:app",
        GARRISON_SERVER_WSGI_THREADS="1",
        GARRISON_TIMEOUTS_READER="300ms",
    ) as up:
        yield up


def closed(up: Running, path: str) -> int:
    """How many replies of a path the app was told to end."""
    return up.stderr.count(f"closed: {path}\n")


def test_who_reads_nothing_does_not_keep_a_thread(one: Running) -> None:
    """The next request is answered once the reader was given up, and the app's iterable is closed."""
    before = closed(one, "/stream")
    with socket.socket() as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", one.port))
        stalled.sendall(f"GET /stream HTTP/1.1\r\n{HOST}\r\n\r\n".encode())
        wait_for(lambda: one.stderr.count("called: /stream\n") > before)
        assert ask(one.port).status == 200
        one.settled()
    assert closed(one, "/stream") == before + 1
    *_, event = [event for event in one.events if event["url.path"] == "/stream"]
    assert (event["rejected_by"], event["outcome"]) == ("timeouts", "client_gone")


def test_who_leaves_in_the_middle_does_not_keep_a_thread(one: Running) -> None:
    """A stream without an end ends with its client."""
    before = closed(one, "/stream")
    with connected(one.port) as connection:
        connection.send("GET /stream HTTP/1.1", HOST)
        assert connection.line().startswith(b"HTTP/1.1 200 ")
    assert ask(one.port).status == 200
    assert closed(one, "/stream") == before + 1


def test_a_reply_that_cannot_be_sent_does_not_keep_a_thread(one: Running) -> None:
    """Nor does one of more bytes than it has said: it is the app's failure, and the next one is served."""
    with connected(one.port) as connection:
        connection.send("GET /wrong HTTP/1.1", HOST)
        assert connection.line().startswith(b"HTTP/1.1 200 ")
        assert ask(one.port).status == 200
    assert closed(one, "/wrong") == 1
    wait_for(lambda: "unhandled_exception" in one.stdout)
    assert "longer than Content-Length" in one.stdout


def test_a_request_that_is_cancelled_does_not_keep_a_thread(tmp_path: Path) -> None:
    """Be it that its client has left or that the server ends: the app's iterable is closed."""
    with running(
        tmp_path,
        "uploads:app",
        GARRISON_SERVER_WSGI_THREADS="1",
        GARRISON_SERVER_CANCEL_ON_DISCONNECT="on",
        GARRISON_SERVER_GRACE="500ms",
    ) as up:
        with connected(up.port) as connection:
            connection.send("GET /stream HTTP/1.1", HOST)
            # Its queue is full: the reply is larger than what the systems take.
            wait_for(lambda: connection.socket.recv(1, socket.MSG_PEEK))
            time.sleep(0.3)
        assert ask(up.port).status == 200
        assert closed(up, "/stream") == 1
        with connected(up.port) as connection:
            connection.send("GET /stream HTTP/1.1", HOST)
            wait_for(lambda: up.stderr.count("called: /stream\n") == 2)
            assert up.stop() == 0
        assert closed(up, "/stream") == 2
        assert "threads_left" not in up.stderr


def test_whatever_cancels_a_request_its_thread_serves_the_next(capfd: pytest.CaptureFixture[str]) -> None:
    """Also where the client is there and the thread waits for it, as when a drain ends a stream."""
    app = FromWSGI(uploads.app, threads=1)
    waits = asyncio.Event()
    sent: list[Message] = []

    def scope(path: str) -> Scope:
        return {
            "type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [],
            "http_version": "1.1",
        }  # fmt: skip

    async def receive() -> Message:
        raise AssertionError

    async def stalled(_: Message) -> None:
        waits.set()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        streaming = asyncio.ensure_future(app(scope("/stream"), receive, stalled))
        await waits.wait()
        await asyncio.sleep(0.1)  # for as many pieces as are taken
        streaming.cancel()
        await asyncio.gather(streaming, return_exceptions=True)
        async with asyncio.timeout(10):
            await app(scope("/"), receive, send)

    asyncio.run(run())
    assert sent[0]["status"] == 200
    assert "closed: /stream\n" in capfd.readouterr().err
