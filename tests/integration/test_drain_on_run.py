"""SIGTERM under `garrison run`, with one worker and with several."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.hostile.servers import ROOT
from tests.integration.test_drain_on_uvicorn import (
    GET,
    HANGING,
    IN_A_SECOND,
    begin_stream,
    wait_for_the_end,
)
from tests.toolkit.server.conftest import running, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from pathlib import Path

DELAY = 4.0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_drain_of_a_server(workers: str, tmp_path: Path) -> None:
    """Readiness first; then what never ends is told, and ends in a second; nothing is lost; exit status 0."""
    shutdown, notes = tmp_path / "shutdown", tmp_path / "notes"
    with (
        running(
            tmp_path,
            "tests.integration.sites.draining_site:app",
            "--workers",
            workers,
            directory=ROOT,
            GARRISON_SERVER_DRAIN_DELAY=f"{DELAY}s",
            GARRISON_SERVER_GRACE="8s",
            DRAINING_SITE_SHUTDOWN=str(shutdown),
            DRAINING_SITE_NOTES=str(notes),
            DRAINING_SITE_SLOW=str(DELAY + 0.6),
        ) as server,
    ):
        # All of them: one that is told to stop before it has started has no balancer to wait for.
        wait_for(lambda: server.stderr.count("Application startup complete") == int(workers))
        wait_for(lambda: ask(server.port, "/readyz").status == 200)
        with (
            connected(server.port) as slow,
            connected(server.port) as download,
            connected(server.port) as stream,
            connected(server.port) as defiant,
            connect(f"ws://127.0.0.1:{server.port}/chat") as chat,
        ):
            begin_stream(stream, "/events")
            begin_stream(defiant, "/defiant")
            slow.send("GET /slow HTTP/1.1", *GET)
            download.send("GET /download HTTP/1.1", *GET)
            told = time.monotonic()
            server.process.terminate()
            wait_for(lambda: ask(server.port, "/readyz").status == 503)
            reply = ask(server.port)
            # On a busy machine the delay may be over by now, and then every connection ends with its reply.
            assert "connection" not in reply or time.monotonic() - told > DELAY
            assert ask(server.port, "/livez").status == 200
            with pytest.raises(ConnectionClosed) as closed:
                chat.recv(timeout=HANGING)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            wait_for_the_end(stream)
            wait_for_the_end(defiant)
            assert time.monotonic() - told > DELAY + 0.8
            assert notes.read_text().splitlines()[:2] == IN_A_SECOND
            late, begun = slow.reply(), download.reply()
            assert late.body == begun.body == b"whole."
            assert late["connection"] == "close"
        assert server.process.wait(10) == 0
        assert shutdown.exists()
        ends = {
            event["url.path"]: event["outcome"] for event in server.events if event["event"] == "http.request"
        }
        assert ends["/events"] == ends["/chat"] == "drained"
        assert ends["/slow"] == ends["/download"] == "completed"
