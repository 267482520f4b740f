"""The guides to the frameworks: each example that hardens itself, on the server that its reader has."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from tests.integration.frameworks_guide import ALONE, CHANGING, SHOPS, Shop
from tests.ports import free_port
from tests.toolkit.server.conftest import environment, wait_for
from tests.toolkit.server.wire import ask, connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTA = "POST /login: 1/hour"


@pytest.fixture(params=[*ALONE, "django"])
def in_code(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Shop, int]]:
    """The command line of each page for the server that its reader has, on a port."""
    shop = SHOPS[request.param]
    (command,) = shop.commands("uvicorn")
    port, log = free_port(), tmp_path / "log"
    environ = {"GARRISON_ERRORS_REPLACE": "all"}
    if shop.name == "django":
        environ = leaving_django(tmp_path, shop)
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", *command.words, "--port", str(port)],
            cwd=shop.folder,
            env=environment({"GARRISON_RATE_LIMIT_LIMITS": QUOTA, **environ}),
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_for(lambda: process.poll() is not None or "running on" in log.read_text(encoding="utf-8"))
        assert process.poll() is None, log.read_text(encoding="utf-8")
        yield shop, port
    finally:
        process.terminate()
        process.wait(40)


def leaving_django(folder: Path, shop: Shop) -> dict[str, str]:
    """What has Django let exceptions go, by the setting that its page names."""
    settings = "from shop.settings import *\n\nDEBUG_PROPAGATE_EXCEPTIONS = True\n"
    (folder / "leaving.py").write_text(settings, encoding="utf-8")
    path = os.pathsep.join([str(folder), str(shop.folder)])
    return {"DJANGO_SETTINGS_MODULE": "leaving", "PYTHONPATH": path}


def test_in_code_on_a_server(in_code: tuple[Shop, int]) -> None:
    """Headers, problems, no banner, quotas and WebSockets, on the server that somebody has."""
    shop, port = in_code
    for path, status in {"/": 200, "/items/1": 200, "/nowhere": 404, "/boom": 500}.items():
        reply = ask(port, path)
        assert (reply.status, reply["x-content-type-options"]) == (status, "nosniff")
        assert "server" not in reply
    problem = {key: value for key, value in reply.json.items() if key not in CHANGING}
    assert problem == shop.shown("Internal Server Error")
    statuses = []
    for _ in range(2):
        with connected(port) as connection:
            connection.send("POST /login HTTP/1.1", "Host: shop.example", "Content-Length: 0")
            statuses.append(connection.reply().status)
    assert statuses == [204, 429]
    if shop.socket == 101:
        with connect(f"ws://127.0.0.1:{port}/echo", open_timeout=40) as websocket:
            websocket.send("hello")
            assert websocket.recv(timeout=40) == "hello"
