"""The example of a login, in a real server with its counts in a real Valkey."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.integration.documents import EXAMPLES
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.server.conftest import running, wait_for

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a secret of thirty-two characters"
RIGHT = "correct horse battery staple"
SOCKETS = """\
from fastapi import Depends, FastAPI, WebSocket
from garrison import Limit

app = FastAPI()

@app.get("/")
async def page():
    return "up"

@app.websocket("/chat", dependencies=[Depends(Limit("1/minute"))])
async def chat(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()
"""


def post(port: int, path: str, body: dict[str, str], client: str) -> tuple[int, dict[str, str], Any]:
    """One request through a proxy that is trusted, from a client behind it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {"content-type": "application/json", "x-forwarded-for": client}
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, json.load(reply)
    finally:
        connection.close()


def test_the_example_of_a_login_keeps_its_word(tmp_path: Path) -> None:
    """Two workers count guesses together, refuse with a problem, and let the owner in in the middle of it."""
    with (
        Server() as valkey,
        running(
            tmp_path,
            "app:app",
            "--workers",
            "2",
            directory=EXAMPLES / "login",
            GARRISON_RATE_LIMIT_STORAGE=valkey.url,
            GARRISON_RATE_LIMIT_DEADLINE="2s",
            GARRISON_SECRET=SECRET,
        ) as server,
    ):

        def log_in(password: str, client: str) -> tuple[int, dict[str, str], Any]:
            return post(server.port, "/login", {"username": "ann", "password": password}, client)

        status, headers, body = log_in(RIGHT, "198.51.100.1")
        assert (status, body) == (200, {"welcome": "ann", "new_here": True})
        assert headers["ratelimit-policy"].startswith('"5-per-minute";q=5;w=60')
        found = [log_in("wrong", "203.0.113.9") for _ in range(6)]
        assert [status for status, _, _ in found] == [401] * 5 + [429]
        _, headers, body = found[-1]
        assert headers["content-type"] == "application/problem+json"
        assert body["violated-policies"] == ["5-per-minute"]
        assert body["request_id"] == headers["x-request-id"]
        assert 0 < int(headers["retry-after"]) <= 14
        assert log_in(RIGHT, "198.51.100.1")[2] == {"welcome": "ann", "new_here": False}
        assert log_in(RIGHT, "198.51.100.2")[0] == 200
        resets = [post(server.port, "/password-reset", {}, "198.51.100.1")[0] for _ in range(4)]
        assert resets == [200] * 3 + [429]
        assert not [key for key in valkey.call("KEYS", "*") if b"ann" in key]
        wait_for(lambda: server.stdout.count('"rejected_by":"rate_limit"') == 2)


def test_a_refused_handshake_is_a_429_on_the_wire(tmp_path: Path) -> None:
    """A real server denies a WebSocket over its quota with the status and Retry-After."""
    (tmp_path / "sockets.py").write_text(SOCKETS, encoding="utf-8")
    with running(tmp_path, "sockets:app", directory=tmp_path) as server:
        url = f"ws://127.0.0.1:{server.port}/chat"
        with connect(url, proxy=None) as socket:
            assert socket.recv() == "hello"
        with pytest.raises(InvalidStatus) as caught:
            connect(url, proxy=None)
        assert caught.value.response.status_code == 429
        assert int(caught.value.response.headers["retry-after"]) >= 1
