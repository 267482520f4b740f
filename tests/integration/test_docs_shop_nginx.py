"""The shop twice behind a real nginx with the configuration of its Compose file, and one Valkey for both."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.documents import Request
from tests.integration.nginx import HOST, NGINX, nginx
from tests.integration.shop import SETTINGS, SHOP, Customer, Site, customer, environment, received
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.server.conftest import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.nginx import Site as Proxy

# In CI it was installed, and a test without it fails.
pytestmark = pytest.mark.skipif(
    NGINX is None and not os.environ.get("CI"), reason="nginx is missing: apt-get install nginx"
)
TLS_PORT = "8443"


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, list[Running], Path]]:
    """Two shops with the settings of Compose, but for its names and addresses, and nginx before them."""
    folder = tmp_path_factory.mktemp("shops")
    told = {name: text for name, text in environment(folder).items() if name.startswith("SHOP_")}
    with ExitStack() as stack:
        counted = stack.enter_context(Server())
        place = {
            "GARRISON_PROXY_TRUSTED": "127.0.0.1",
            "GARRISON_HOSTS_HTTPS": "redirect",
            "GARRISON_HOSTS_HTTPS_PORT": TLS_PORT,
            "GARRISON_RATE_LIMIT_STORAGE": f"{counted.url}/0",
            "GARRISON_RATE_LIMIT_DEADLINE": "5s",
            "GARRISON_SECRET": "g" * 32,
            "GARRISON_TIMEOUTS_HANDLER": "2m",
        }
        words = ("shop.main:app", "--env-file", str(SETTINGS))
        ups = []
        for name in ("shop-1", "shop-2"):
            logs = folder / name
            logs.mkdir()
            ups.append(stack.enter_context(running(logs, *words, directory=SHOP, **told, **place)))
        replaced = {f"shop-{number}:8000": f"127.0.0.1:{up.port}" for number, up in enumerate(ups, 1)}
        replaced |= {"/run/secrets/tls.crt": str(folder / "cert.pem")}
        replaced |= {"/run/secrets/tls.key": str(folder / "key.pem")}
        text = (SHOP / "nginx.conf").read_text(encoding="utf-8")
        yield stack.enter_context(nginx(folder, text, replaced)), ups, folder / "data"


@pytest.fixture
def site(shops: tuple[Proxy, list[Running], Path]) -> Site:
    """The shop as its customers reach it."""
    proxy, _, data = shops
    return Site(proxy.tls, data, proxy.context)


def test_everything_works_through_the_proxy(site: Site) -> None:
    """A login over https, an order whichever process packs it, its mail, a WebSocket, the stream."""
    with customer(site) as visitor:
        assert "secure" in visitor.login().headers["set-cookie"].lower()
        number = visitor.order().json()["number"]
        assert visitor.http.get(f"/api/orders/{number}/packed").json()["status"] == "packed"
        assert f"https://{HOST}/api/orders/{number}" in visitor.mail(number)
        with visitor.socket() as socket:
            socket.send(str(number))
            assert received(socket)["status"] == "packed"
        with visitor.http.stream("GET", "/api/stock") as reply:
            assert next(reply.iter_lines()).startswith("data: ")
        assert visitor.upload(bytes(1_900_000)).status_code == 201
        assert visitor.upload(bytes(2_100_000)).status_code == 413


def test_plain_http_leads_to_https(shops: tuple[Proxy, list[Running], Path]) -> None:
    """On the port that Compose publishes; nginx leaves it to the shop, which knows the scheme from it."""
    request = Request(method="GET", host=HOST, path="/account", headers=(("Accept", "text/html"),), body=b"")
    status, location, _ = shops[0].ask(request, https=False)
    assert (status, location) == (308, f"https://{HOST}:{TLS_PORT}/account")


def test_both_count_together(site: Site) -> None:
    """Nine wrong passwords, dealt out in turn, are too many; each shop alone would take five of them."""
    with customer(site) as visitor:
        statuses = [visitor.login("wrong password").status_code for _ in range(9)]
    # Where all of it takes long, one comes back to the quota every twelve seconds.
    assert statuses[:5] == [401] * 5
    assert 429 in statuses


def test_one_may_go(shops: tuple[Proxy, list[Running], Path], site: Site) -> None:
    """While one of the two stops, and after it has, nobody who asks is told of it."""
    _, ups, _ = shops

    def answer() -> int:
        # Each time from another address, so that no quota is used up however long the stop takes.
        with Customer(site).http as http:
            return http.get("/api/products").status_code

    ups[0].process.send_signal(signal.SIGTERM)
    found = set()
    while ups[0].process.poll() is None:
        found.add(answer())
    assert found | {answer() for _ in range(10)} == {200}
