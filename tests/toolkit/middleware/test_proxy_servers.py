"""Behind a real server, on loopback and on a Unix socket: what is on the wire is what the app is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import pytest
import uvicorn

from garrison import Proxy, ProxyMiddleware
from tests.toolkit.driver import replies_with

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from garrison.asgi import ASGIApp, Receive, Scope, Send

SECONDS: Final = 10.0
LOOPBACK: Final = (ip_network("127.0.0.1"),)


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that says what it was told."""
    facts: dict[str, Any] = {name: scope.get(name) for name in ("client", "scheme", "path", "root_path")}
    facts["headers"] = [f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"]]
    body = json.dumps(facts).encode()
    lines = [(b"connection", b"close"), (b"content-length", b"%d" % len(body))]
    await replies_with(200, lines, body)(scope, receive, send)


@contextmanager
def serving(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """The app behind uvicorn, which believes no header itself, until the end of the block."""
    config = uvicorn.Config(app, proxy_headers=False, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=partial(server.run, sockets=[listener]), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        listener.close()
        assert not thread.is_alive()


def ask(address: Any, *lines: str, source: str = "127.0.0.1") -> dict[str, Any]:
    """What the app was told of one request, sent byte by byte."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as connection:
        connection.settimeout(SECONDS)
        if not isinstance(address, str):
            connection.bind((source, 0))
        connection.connect(address)
        connection.sendall("\r\n".join(["GET /a HTTP/1.1", "Host: inside", *lines, "", ""]).encode("latin-1"))
        reply = b""
        while part := connection.recv(65536):
            reply += part
    told = json.loads(reply.partition(b"\r\n\r\n")[2])
    assert isinstance(told, dict)
    return told


@pytest.fixture
def sockets(tmp_path: Path) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A listener on loopback and one on a Unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        yield tcp, unix


def test_a_proxy_on_this_machine(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Lines in any case and number are one chain, from 127.0.0.1 and from nobody else."""
    settings = Proxy(trusted=LOOPBACK, accept=("for", "proto", "host", "prefix"), strip=("X-User-ID",))
    lines = (
        "X-Forwarded-For: 6.6.6.6,[2001:db8::7]:4711", "x-forwarded-for:  127.0.0.1 ",
        "X-FORWARDED-PROTO: https", "X-Forwarded-Host: shop.example", "X-Forwarded-Prefix: /shop",
        "Forwarded: for=6.6.6.6", "X-User-ID: 7", "X_User_ID: 8",
    )  # fmt: skip
    with serving(ProxyMiddleware(mirror, settings), sockets[0]):
        address = sockets[0].getsockname()
        told = ask(address, *lines)
        assert (told["client"], told["scheme"]) == (["2001:db8::7", 0], "https")
        assert (told["path"], told["root_path"]) == ("/shop/a", "/shop")
        assert [line for line in told["headers"] if "forwarded" not in line] == [
            "host: shop.example", "x-user-id: 7",
        ]  # fmt: skip
        assert not [line for line in told["headers"] if line.startswith("forwarded")]
        stranger = ask(address, *lines, source="127.0.0.9")
    assert (stranger["client"][0], stranger["scheme"], stranger["path"]) == ("127.0.0.9", "http", "/a")
    assert stranger["headers"] == ["host: inside"]


def test_a_proxy_on_a_unix_socket(sockets: tuple[socket.socket, socket.socket]) -> None:
    """A peer without an address is believed where it is trusted, with the other family here."""
    settings = Proxy(unix=True, family="forwarded")
    lines = ('Forwarded: for=", for=6.6.6.6', 'Forwarded: For="192.0.2.1:80";Proto=https')
    with serving(ProxyMiddleware(mirror, settings), sockets[1]):
        told = ask(sockets[1].getsockname(), *lines, "X-Forwarded-For: 6.6.6.6")
    assert (told["client"], told["scheme"]) == (["192.0.2.1", 0], "https")
    assert not [line for line in told["headers"] if line.startswith("x-")]


def test_a_unix_socket_that_is_not_trusted(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Trust in addresses says nothing of a peer that has none."""
    with serving(ProxyMiddleware(mirror, Proxy(trusted=LOOPBACK)), sockets[1]):
        told = ask(sockets[1].getsockname(), "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https")
    assert (told["client"], told["scheme"], told["headers"]) == (None, "http", ["host: inside"])


def test_counted_proxies(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Two proxies write two entries; who comes around one of them brings one."""
    with serving(ProxyMiddleware(mirror, Proxy(hops=2)), sockets[0]):
        address = sockets[0].getsockname()
        told = ask(address, "X-Forwarded-For: 6.6.6.6, 192.0.2.1", "X-Forwarded-For: 198.51.100.7")
        around = ask(address, "X-Forwarded-For: 6.6.6.6", source="127.0.0.9")
    assert told["client"] == ["192.0.2.1", 0]
    assert (around["client"][0], around["headers"]) == ("127.0.0.9", ["host: inside"])
