"""The nginx configurations of the documentation, in a real nginx before a real server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from tests.integration.documents import DOCS, EXAMPLES, Request, blocks, commands, curl, variables
from tests.integration.nginx import HOST, NGINX, nginx
from tests.toolkit.server.conftest import environment, running, wait_for
from tests.toolkit.server.wire import Connection

if TYPE_CHECKING:
    from pathlib import Path

PAGE = DOCS / "how-to" / "reverse-proxies.md"
SOCKET_APP = """\
from seen import app
from garrison import harden
hardened = harden(app)
"""
ECHO = """\
async def app(scope, receive, send):
    assert scope["type"] == "websocket", scope["type"]
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": f"{scope['scheme']} {scope['client'][0]}"})
    await send({"type": "websocket.close", "code": 1000})
"""
# The second event waits for another request, so that it cannot have been what made the first arrive.
STREAM = """\
import asyncio
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

going_on = asyncio.Event()

async def events():
    yield "data: one\\n\\n"
    await going_on.wait()
    yield "data: two\\n\\n"

async def stream(request):
    headers = {"X-Accel-Buffering": "no"} if request.url.path == "/feed" else {}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)

async def go_on(request):
    going_on.set()
    return PlainTextResponse("")

async def upload(request):
    return PlainTextResponse(str(len(await request.body())))

app = Starlette(routes=[
    Route("/events", stream),
    Route("/feed", stream),
    Route("/go-on", go_on),
    Route("/upload", upload, methods=["POST"]),
])
"""

# In CI it was installed, and a test without it fails.
needs_nginx = pytest.mark.skipif(
    NGINX is None and not os.environ.get("CI"), reason="nginx is missing: apt-get install nginx"
)


def configuration(words: str) -> str:
    """The nginx block of the page with these words in it."""
    (found,) = [block.text for block in blocks(PAGE, "nginx") if words in block.text]
    return found


def spoofed() -> list[Request]:
    """What the page sends through the proxy and what only the proxy may say."""
    found = [curl(command.words) for block in blocks(PAGE, "console") for command in commands(block)
             if command.words[0] == "curl" and command.words[2].startswith("https://")]  # fmt: skip
    assert len(found) == 3
    return found


def settings_with(words: str, folder: Path) -> dict[str, str]:
    """The variables of the first env block of the page that begins with these words."""
    return next(
        variables(block, folder) for block in blocks(PAGE, "env") if block.text.startswith(words)
    )  # fmt: skip


@needs_nginx
def test_spoofed_headers_change_nothing(tmp_path: Path) -> None:
    """Through nginx as the page configures it, the app sees the peer, https, and the right host."""
    environ = settings_with("GARRISON_PROXY_TRUSTED=127.0.0.1,::1\nGARRISON_HOSTS", tmp_path)
    with (
        running(tmp_path, "seen:app", directory=EXAMPLES / "proxies", **environ) as app,
        nginx(
            tmp_path, configuration("$connection_upgrade;"), {"127.0.0.1:8000": f"127.0.0.1:{app.port}"}
        ) as site,
    ):
        for request in spoofed():
            found = site.seen(request)
            assert (found["client"], found["url"]) == ("127.0.0.1", f"https://{HOST}/a")
            assert found["root_path"] == ""
            assert "forwarded" not in found["headers"]
        status, location, _ = site.ask(spoofed()[0], https=False)
        assert (status, location) == (308, f"https://{HOST}/a")


def test_around_the_proxy_is_a_stranger(tmp_path: Path) -> None:
    """Whoever reaches the app itself is seen with its own address, and loses what it said of another."""
    (direct,) = [curl(command.words) for block in blocks(PAGE, "console") for command in commands(block)
                 if command.words[0] == "curl" and command.words[2].startswith("http://")]  # fmt: skip
    environ = {"GARRISON_PROXY_TRUSTED": "127.0.0.1"}
    with running(tmp_path, "seen:app", directory=EXAMPLES / "proxies", **environ) as app:
        connection = Connection(app.port, source="127.0.0.2")
        lines = [f"{name}: {value}" for name, value in direct.headers]
        connection.send(f"GET {direct.path} HTTP/1.1", *lines, "Connection: close")
        found = connection.reply().json
        connection.socket.close()
    assert (found["client"], found["headers"]) == ("127.0.0.2", [])


def listens(path: Path) -> bool:
    """Whether somebody accepts connections at a Unix socket, which is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@needs_nginx
@pytest.mark.parametrize("server", ["garrison", "uvicorn"])
def test_a_unix_socket(server: str, tmp_path: Path) -> None:
    """Behind a Unix socket the client is the one that nginx tells, over https."""
    path = tmp_path / "app.sock"
    (tmp_path / "behind.py").write_text(SOCKET_APP, encoding="utf-8")
    (command,) = [command for block in blocks(PAGE, "console") for command in commands(block)
                  if command.words[0] == server and "/run/shop/app.sock" in command.words]  # fmt: skip
    swapped = {
        "shop.main:app": "seen:app",
        "shop.main:hardened": "behind:hardened",
        "/run/shop/app.sock": str(path),
    }
    words = [swapped.get(word, word) for word in command.words]
    environ = settings_with("GARRISON_PROXY_UNIX", tmp_path)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env=environment({**environ, "PYTHONPATH": str(EXAMPLES / "proxies")}),
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: listens(path))
        with nginx(tmp_path, configuration("unix:"), {"/run/shop/app.sock": str(path)}) as site:
            for request in spoofed():
                found = site.seen(request)
                assert (found["client"], found["url"]) == ("127.0.0.1", f"https://{HOST}/a")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@needs_nginx
def test_a_path_prefix(tmp_path: Path) -> None:
    """What nginx takes off the path is in the app's links, and a client cannot choose it."""
    environ = settings_with("GARRISON_PROXY_TRUSTED=127.0.0.1,::1\nGARRISON_PROXY_ACCEPT", tmp_path)
    with (
        running(tmp_path, "seen:app", directory=EXAMPLES / "proxies", **environ) as app,
        nginx(
            tmp_path, configuration("location /shop/"), {"127.0.0.1:8000": f"127.0.0.1:{app.port}"}
        ) as site,
    ):
        for request in spoofed():
            found = site.seen(replace(request, path="/shop/a"))
            assert (found["root_path"], found["url"]) == ("/shop", f"https://{HOST}/shop/a")


@needs_nginx
def test_a_websocket(tmp_path: Path) -> None:
    """A WebSocket passes nginx as the page configures it, and the app knows that it came over TLS."""
    (tmp_path / "echo.py").write_text(ECHO, encoding="utf-8")
    with (
        running(tmp_path, "echo:app", directory=tmp_path) as app,
        nginx(
            tmp_path, configuration("$connection_upgrade;"), {"127.0.0.1:8000": f"127.0.0.1:{app.port}"}
        ) as site,
        connect(f"wss://{HOST}/", sock=site.connected(), ssl=site.context) as opened,
    ):
        assert opened.recv(timeout=10) == "wss 127.0.0.1"


def request(path: str, body: bytes = b"") -> Request:
    """An ordinary request; a body is uploaded as a file."""
    headers = (("Content-Type", "application/octet-stream"),) if body else ()
    return Request(method="POST" if body else "GET", host=HOST, path=path, headers=headers, body=body)


@needs_nginx
@pytest.mark.parametrize("path", ["/events", "/feed"])
def test_events_arrive_one_by_one(tmp_path: Path, path: str) -> None:
    """An event passes nginx before the next is made: by the location's setting, or by the app's header."""
    (tmp_path / "stream.py").write_text(STREAM, encoding="utf-8")
    with (
        running(tmp_path, "stream:app", directory=tmp_path) as app,
        nginx(
            tmp_path, configuration("$connection_upgrade;"), {"127.0.0.1:8000": f"127.0.0.1:{app.port}"}
        ) as site,
        site.asked(request(path)) as reply,
    ):
        assert reply.readline() == b"data: one\n"
        assert site.ask(request("/go-on"))[0] == 200
        assert reply.read() == b"\ndata: two\n\n"


@needs_nginx
def test_an_upload_arrives(tmp_path: Path) -> None:
    """A file larger than what nginx takes by itself reaches the app."""
    (tmp_path / "stream.py").write_text(STREAM, encoding="utf-8")
    with (
        running(tmp_path, "stream:app", directory=tmp_path) as app,
        nginx(
            tmp_path, configuration("$connection_upgrade;"), {"127.0.0.1:8000": f"127.0.0.1:{app.port}"}
        ) as site,
    ):
        status, _, body = site.ask(request("/upload", b"x" * 1_500_000))
    assert (status, body) == (200, b"1500000")


@needs_nginx
def test_nginx_keeps_its_version_to_itself(tmp_path: Path) -> None:
    """Neither the redirect to https nor a reply that nginx makes for an app that is away says which it is."""
    with nginx(tmp_path, configuration("$connection_upgrade;"), {"127.0.0.1:8000": "127.0.0.1:1"}) as site:
        for https, status in {False: 308, True: 502}.items():
            with site.asked(request("/"), https=https) as reply:
                assert (reply.status, reply.getheader("server")) == (status, "nginx")
