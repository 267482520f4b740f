"""The shop of the examples on loopback, as it comes and hardened, and somebody who goes there."""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.integration.documents import EXAMPLES
from tests.toolkit.server.conftest import running, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOP = EXAMPLES / "shop"
SETTINGS = SHOP / "shop.env"
PASSWORD = "correct horse"
HOST = "shop.example"
# Against hanging only: whatever is waited for comes in far less.
GUARD = 45.0


class Site:
    """A shop that is up.

    Attributes:
        port: where it listens, or the proxy before it.
        data: the folder with what it keeps.
        context: what trusts the proxy, where there is one.
    """

    def __init__(self, port: int, data: Path, context: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.data = data
        self.context = context


def environment(folder: Path) -> dict[str, str]:
    """What a shop of a test is told: where its things are, and not to take long over packing."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("GARRISON_", "SHOP_"))}
    return {**kept, "SHOP_DATA": str(folder / "data"), "SHOP_PACKING": "0.3", "SHOP_SECRET": "s" * 32}


@contextmanager
def bare(folder: Path) -> Iterator[Site]:
    """The shop as it comes, under uvicorn."""
    words = [sys.executable, "-m", "uvicorn", "shop.main:app", "--port", "0"]
    log = folder / "uvicorn.log"
    with log.open("wb") as written:
        process = subprocess.Popen(words, cwd=SHOP, env=environment(folder), stdout=written, stderr=written)
    try:

        def told() -> re.Match[str] | None:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            return re.search(r"running on http://\S+:(\d+)", log.read_text(encoding="utf-8"))

        wait_for(told)
        found = told()
        assert found is not None
        yield Site(int(found[1]), folder / "data")
    finally:
        # Streams and WebSockets that are still open would be waited for.
        process.kill()
        process.wait(GUARD)


@contextmanager
def hardened(folder: Path, settings: Path = SETTINGS, /, **changed: str) -> Iterator[Site]:
    """The same under `garrison run` with its settings, but for what is changed."""
    told = {name: text for name, text in environment(folder).items() if name.startswith("SHOP_")}
    words = ("shop.main:app", "--env-file", str(settings))
    with running(folder, *words, directory=SHOP, **told, **changed) as up:
        yield Site(up.port, folder / "data")


def named(request: httpx.Request) -> None:
    """Say by which name the shop is meant, where it speaks TLS."""
    request.extensions = {**request.extensions, "sni_hostname": HOST}


class Customer:
    """Somebody with an account, a browser's cookies, and an address of their own.

    Attributes:
        name: of the account.
        address: on loopback, so that quotas of clients are those of tests.
        http: what asks.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self.name = f"c{uuid.uuid4().hex[:8]}"
        self.address = (
            f"127.{1 + secrets.randbelow(250)}.{secrets.randbelow(250)}.{1 + secrets.randbelow(250)}"
        )
        context = site.context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.http = httpx.Client(
            base_url=f"{'https' if site.context else 'http'}://127.0.0.1:{site.port}",
            headers={"Host": HOST},
            transport=httpx.HTTPTransport(local_address=self.address, verify=context),
            event_hooks={"request": [named]},
            timeout=GUARD,
        )

    def register(self) -> httpx.Response:
        """Open the account."""
        return self.http.post("/api/accounts", json={"name": self.name, "password": PASSWORD})

    def login(self, password: str = PASSWORD) -> httpx.Response:
        """Sign in, and keep the cookie."""
        return self.http.post("/api/login", json={"name": self.name, "password": password})

    def order(self, product: int = 1, **headers: str) -> httpx.Response:
        """Buy one of a product."""
        body = {"lines": [{"product": product, "count": 1}]}
        return self.http.post("/api/orders", json=body, headers=headers)

    def upload(self, content: bytes, media_type: str = "image/png", **headers: str) -> httpx.Response:
        """Show what a product looks like."""
        files = {"picture": ("picture", content, media_type)}
        return self.http.post("/api/products/2/picture", files=files, headers=headers)

    def socket(self, **headers: str) -> ClientConnection:
        """Follow one's orders."""
        made = socket.create_connection(("127.0.0.1", self._site.port), GUARD, (self.address, 0))
        return connect(
            f"{'wss' if self._site.context else 'ws'}://{HOST}/ws/orders",
            sock=made,
            ssl=self._site.context,
            additional_headers={"Cookie": f"session={self.http.cookies['session']}", **headers},
            open_timeout=GUARD,
            # A proxy of the machine's has no business here.
            proxy=None,
        )

    def mail(self, number: int) -> str:
        """What was written to the customer of an order, once it is there."""
        file = self._site.data / "mails" / f"{number}.txt"
        wait_for(lambda: file.exists() and file.read_text(encoding="utf-8"))
        return file.read_text(encoding="utf-8")


@contextmanager
def customer(site: Site) -> Iterator[Customer]:
    """Somebody who has signed in."""
    found = Customer(site)
    with found.http:
        assert found.register().status_code == 201
        assert found.login().status_code == 200
        yield found


def received(socket: ClientConnection) -> dict[str, Any]:
    """The next message of a WebSocket."""
    found = json.loads(socket.recv(timeout=GUARD))
    assert isinstance(found, dict)
    return found
