"""Host, port and prefix of a trusted proxy: what the app takes for its own address."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from garrison import Proxy, ProxyMiddleware
from garrison.rules import routed_path
from tests.toolkit.driver import call, http_scope, websocket_scope
from tests.toolkit.middleware.proxied import PROXY, Proxied

if TYPE_CHECKING:
    from starlette.requests import Request

    from garrison.asgi import ASGIApp, Scope

EVERYTHING: Final = Proxy(
    trusted=(ip_network("10.0.0.0/8"),), accept=("for", "proto", "host", "port", "prefix")
)
Lines = list[tuple[bytes, bytes]]


def facts(**values: str) -> Lines:
    """Header lines of the X-Forwarded family."""
    return [(f"x-forwarded-{name}".encode(), value.encode("latin-1")) for name, value in values.items()]


def hosts_of(scope: Scope) -> list[bytes]:
    """Every Host line."""
    return [value for name, value in scope["headers"] if name == b"host"]


@pytest.mark.parametrize(
    ("told", "host", "server"),
    [
        ({"host": "a.example"}, b"a.example", ("a.example", 80)),
        ({"host": "a.example", "proto": "https"}, b"a.example", ("a.example", 443)),
        ({"host": "a.example:443", "proto": "https"}, b"a.example", ("a.example", 443)),
        ({"host": "a.example:8443", "proto": "https", "port": "443"}, b"a.example:8443", ("a.example", 8443)),
        ({"host": "a.example", "proto": "https", "port": "8443"}, b"a.example:8443", ("a.example", 8443)),
        ({"host": "[2001:db8::1]", "port": "81"}, b"[2001:db8::1]:81", ("2001:db8::1", 81)),
        ({"port": "8443", "proto": "https"}, b"shop.example:8443", ("shop.example", 8443)),
        ({"port": "443", "proto": "https"}, b"shop.example", ("shop.example", 443)),
        ({"host": "b.example, a.example"}, b"a.example", ("a.example", 80)),
        (
            {"for": "192.0.2.1, 10.0.0.2", "host": "a.example, inside"},
            b"a.example",
            ("a.example", 80),
        ),
    ],
)
def test_the_host_is_what_the_client_asked_for(
    told: dict[str, str], host: bytes, server: tuple[str, int]
) -> None:
    """Host line and server of the scope agree with the proxy, whose port counts where the host has none."""
    scope = Proxied(EVERYTHING).ask(*facts(**told))
    assert (hosts_of(scope), scope["server"]) == ([host], server)


@pytest.mark.parametrize("given", [[b"inside"], [b"inside", b"evil.example"], []])
def test_exactly_one_host_is_left(given: list[bytes]) -> None:
    """However many Host lines came, the proxy's is the only one, and all other lines stay in order."""
    lines = [*((b"host", value) for value in given), (b"accept", b"a"), (b"accept", b"b")]
    scope = http_scope(client=PROXY)
    scope["headers"] = [*lines, *facts(host="shop.example:8080")]
    seen = Proxied(EVERYTHING).see(scope)
    assert hosts_of(seen) == [b"shop.example:8080"]
    assert [line for line in seen["headers"] if line[0] == b"accept"] == [
        (b"accept", b"a"),
        (b"accept", b"b"),
    ]
    assert scope["headers"][: len(lines)] == lines


@pytest.mark.parametrize(
    "told",
    [
        {"host": "a b"},
        {"host": "evil.example/x"},
        {"host": "a.example:0"},
        {"host": ""},
        {"port": "0"},
        {"port": "99999"},
        {"port": "80x"},
        {"host": "\xff", "port": ""},
    ],
)
def test_what_is_no_host_or_port_is_not_believed(told: dict[str, str]) -> None:
    """A malformed word leaves Host and server as they were, whatever form they have."""
    scope = Proxied(EVERYTHING).see(
        http_scope(headers=[(b"host", b"shop.example:80"), *facts(**told)], client=PROXY)
    )
    assert (hosts_of(scope), scope["server"]) == ([b"shop.example:80"], ("127.0.0.1", 8000))


@pytest.mark.parametrize("given", [[b"a b"], [], [b"a.example", b"b.example"]])
def test_a_port_needs_a_host(given: list[bytes]) -> None:
    """A port without one host to go with it says nothing."""
    scope = http_scope(client=PROXY)
    scope["headers"] = [*((b"host", value) for value in given), *facts(port="8443")]
    seen = Proxied(EVERYTHING).see(scope)
    assert (hosts_of(seen), seen["server"]) == (given, ("127.0.0.1", 8000))


@pytest.mark.parametrize(
    ("prefix", "path", "root", "expected"),
    [
        ("/shop", "/a", "", ("/shop/a", "/shop", "/a")),
        ("/shop/", "/", "", ("/shop/", "/shop", "/")),
        ("/shop", "/api/a", "/api", ("/shop/api/a", "/shop/api", "/a")),
        ("/shop", "/a", "/api", ("/shop/api/a", "/shop/api", "/a")),
        ("/shop", "/apis/a", "/api", ("/shop/api/apis/a", "/shop/api", "/apis/a")),
        ("/shop", "/a", "/", ("/shop/a", "/shop", "/a")),
        ("/shop", "/shop/a", "", ("/shop/shop/a", "/shop", "/shop/a")),
        ("/a/b", "/c", "", ("/a/b/c", "/a/b", "/c")),
    ],
)
def test_a_prefix_goes_in_front(prefix: str, path: str, root: str, expected: tuple[str, str, str]) -> None:
    """Path and root_path both begin with it, so that the router sees what it saw before."""
    scope = Proxied(EVERYTHING).ask(*facts(prefix=prefix), path=path, root_path=root)
    assert (scope["path"], scope["root_path"], routed_path(scope)) == expected
    assert scope["raw_path"] == scope["path"].encode()
    context = scope["garrison"]
    assert (context.path, context.root_path) == expected[:2]


def test_the_raw_path_stays_encoded() -> None:
    """Bytes that the client encoded stay so, and a server's own prefix is encoded as the client must."""
    scope = Proxied(EVERYTHING).ask(
        *facts(prefix="/shop"), path="/a b", raw_path=b"/a%20b", root_path="/\xe4 %"
    )
    assert scope["raw_path"] == b"/shop/%C3%A4%20%25/a%20b"
    assert scope["path"] == "/shop/\xe4 %/a b"
    missing = http_scope("/a", headers=facts(prefix="/shop"), client=PROXY)
    del missing["raw_path"], missing["root_path"]
    seen = Proxied(EVERYTHING).see(missing)
    assert ("raw_path" in seen, seen["path"], seen["root_path"]) == (False, "/shop/a", "/shop")


@pytest.mark.parametrize(
    ("prefix", "path"), [("//evil.example", "/a"), ("/..", "/a"), ("shop", "/a"), ("", "/a"), ("/shop", "*")]
)
def test_what_is_no_prefix_is_not_believed(prefix: str, path: str) -> None:
    """A word that is no plain path changes nothing, and neither does a target that is no path."""
    scope = Proxied(EVERYTHING).ask(*facts(prefix=prefix), path=path)
    assert (scope["path"], scope["raw_path"], scope["root_path"]) == (path, path.encode(), "")


def test_a_websocket_has_the_same_address() -> None:
    """A handshake gets host, scheme and prefix as a request does."""
    lines = facts(proto="https", host="a.example", prefix="/shop")
    scope = Proxied(EVERYTHING).see(websocket_scope("/live", headers=lines, client=PROXY))
    assert (hosts_of(scope), scope["scheme"]) == ([b"a.example"], "wss")
    assert (scope["path"], scope["root_path"]) == ("/shop/live", "/shop")


def test_forwarded_has_a_host_too() -> None:
    """The host of RFC 7239 brings its port along."""
    settings = Proxy(trusted=EVERYTHING.trusted, family="forwarded", accept=("host", "proto"))
    lines = [(b"forwarded", b'for=192.0.2.1;host="a.example:8443";proto=https')]
    scope = Proxied(settings).ask(*lines, *facts(host="evil.example", port="1"))
    assert (hosts_of(scope), scope["client"]) == ([b"a.example:8443"], PROXY)


async def where(request: Request) -> JSONResponse:
    """What a framework makes of the scope."""
    return JSONResponse({"url": str(request.url), "link": str(request.url_for("where", name="x"))})


def starlette_app() -> Any:
    """Routes at the top and below a mount."""
    return Starlette(routes=[Mount("/v1", routes=[Route("/items/{name}", where, name="where")])])


def fastapi_app() -> Any:
    """The same routes with FastAPI."""
    app, router = FastAPI(), Starlette()
    router.add_route("/items/{name}", where, name="where")
    app.mount("/v1", router)
    return app


@pytest.mark.parametrize("app", [starlette_app(), fastapi_app()], ids=["starlette", "fastapi"])
def test_frameworks_route_and_link(app: ASGIApp) -> None:
    """Routes are found below the prefix, and links lead back through the proxy."""
    lines = facts(proto="https", host="shop.example", port="8443", prefix="/shop")
    reply = call(ProxyMiddleware(app, EVERYTHING), http_scope("/v1/items/a", headers=lines, client=PROXY))
    assert reply.status == 200
    assert reply.json["url"] == "https://shop.example:8443/shop/v1/items/a"
    assert reply.json["link"] == "https://shop.example:8443/shop/v1/items/x"
