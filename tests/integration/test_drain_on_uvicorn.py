"""SIGTERM under plain uvicorn, with the drain put in front of its own end."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.hostile.servers import Server, serving
from tests.toolkit.server.conftest import wait_for
from tests.toolkit.server.wire import Connection, ask, connected

if TYPE_CHECKING:
    from pathlib import Path

SITE = "tests.integration.sites.draining_site:make_app"
UVICORN = pytest.mark.parametrize("name", ["uvicorn with h11", "uvicorn with httptools"])
GET = ("Host: shop.example",)

# The drain delay of the site; what a busy machine may add to it is not what is to be found out.
DELAY = 2.0
# Against hanging only.
HANGING = 20.0
# What becomes of a stream that does not care, which notes next that a second is over since it was told.
IN_A_SECOND = ["told", "cancelled"]


def events(server: Server) -> list[dict[str, Any]]:
    """What the layers have logged."""
    lines = server.log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"timestamp"')]


def begin_stream(stream: Connection, path: str) -> None:
    """Ask for a stream of events, and read the first."""
    stream.send(f"GET {path} HTTP/1.1", *GET)
    while stream.line() != b"data: first\n":
        pass


def wait_for_the_end(stream: Connection) -> None:
    """Read what is left of a stream, up to the last chunk of a whole reply."""
    while (line := stream.line()) != b"0\r\n":
        assert line, "the connection ended without it"


@UVICORN
def test_uvicorn_drains(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness first, then no new work on old connections; nothing is lost, and what never ends is ended."""
    shutdown, notes = tmp_path / "shutdown", tmp_path / "notes"
    monkeypatch.setenv("DRAINING_SITE_SHUTDOWN", str(shutdown))
    monkeypatch.setenv("DRAINING_SITE_NOTES", str(notes))
    with (
        serving(name, SITE, tmp_path) as server,
        connected(server.port) as kept,
        connected(server.port) as slow,
        connected(server.port) as download,
        connected(server.port) as stream,
        connected(server.port) as defiant,
        connect(f"ws://127.0.0.1:{server.port}/chat") as chat,
    ):
        assert ask(server.port, "/readyz").status == 200
        kept.send("GET / HTTP/1.1", *GET)
        assert kept.reply().status == 200
        begin_stream(stream, "/events")
        begin_stream(defiant, "/defiant")
        slow.send("GET /slow HTTP/1.1", *GET)
        download.send("GET /download HTTP/1.1", *GET)

        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: ask(server.port, "/readyz").status == 503)
        kept.send("GET / HTTP/1.1", *GET)
        assert "connection" not in kept.reply()
        chat.send("still there?")
        assert chat.recv(timeout=HANGING) == "still there?"
        assert time.monotonic() - told < DELAY

        with pytest.raises(ConnectionClosed) as closed:
            chat.recv(timeout=HANGING)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert time.monotonic() - told > DELAY - 0.1
        kept.send("GET / HTTP/1.1", *GET)
        assert kept.reply()["connection"] == "close"
        wait_for_the_end(stream)
        wait_for_the_end(defiant)
        # What would never end is ended, neither sooner nor later than a second after the end of the delay.
        assert time.monotonic() - told > DELAY + 0.8
        assert notes.read_text().splitlines()[:2] == IN_A_SECOND
        late, begun = slow.reply(), download.reply()
        assert late.body == begun.body == b"whole."
        assert late["connection"] == "close"
        assert server.process.wait(10) == -signal.SIGTERM
        assert shutdown.exists()
    outcomes = {
        event["url.path"]: event["outcome"] for event in events(server) if event["event"] == "http.request"
    }
    assert outcomes["/events"] == outcomes["/chat"] == "drained"
    assert outcomes["/slow"] == outcomes["/download"] == "completed"


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """Whoever sends SIGTERM twice means now."""
    with serving("uvicorn with h11", SITE, tmp_path) as server:
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: ask(server.port, "/readyz").status == 503)
        told = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(10)
        assert time.monotonic() - told < DELAY


@pytest.mark.parametrize("name", ["hypercorn", "granian"])
def test_other_servers_drain_with_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a preStop hook touches does the same before these are told to stop."""
    file = tmp_path / "drain"
    monkeypatch.setenv("DRAINING_SITE_FILE", str(file))
    with serving(name, SITE, tmp_path) as server, connected(server.port) as stream:
        begin_stream(stream, "/events")
        assert ask(server.port, "/readyz").status == 200
        file.touch()
        wait_for(lambda: ask(server.port, "/readyz").status == 503)
        assert ask(server.port).status == 200
        wait_for(lambda: "connection" in ask(server.port))
        wait_for_the_end(stream)
    outcomes = {
        event["url.path"]: event["outcome"] for event in events(server) if event["event"] == "http.request"
    }
    assert outcomes["/events"] == "drained"
    assert any(event["event"] == "draining" for event in events(server))
