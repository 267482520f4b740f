"""Plain http: a person is sent to https, a program is told, and nobody is sent anywhere else."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import Hosts, HostsMiddleware, Proxy, Settings, SettingsError, harden
from garrison.middleware.hosts import is_navigation
from garrison.settings import load
from tests.toolkit.driver import (
    CLIENT,
    Reply,
    accepts,
    call,
    handshake,
    http_scope,
    replies_with,
    websocket_scope,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = ("shop.example", "*.cdn.example", "[2001:db8::1]", "localhost", "*.localhost", "127.0.0.1")
REDIRECT = Hosts(allowed=NAMES, https="redirect")
REFUSE = Hosts(https="refuse")
OPENED = (b"upgrade-insecure-requests", b"1")
PAGE = (b"accept", b"application/xhtml+xml, text/html;q=0.9")
ON_LINE = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=30)


def ask(
    path: str = "/", *headers: tuple[bytes, bytes], settings: Hosts = REDIRECT, host: bytes = b"", **more: Any
) -> Reply:
    """The reply to a request over plain http; without headers it is a person's."""
    lines = [(b"host", host or b"shop.example"), *(headers or [OPENED])]
    return call(HostsMiddleware(replies_with(), settings), http_scope(path, headers=lines, **more))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("header", [OPENED, PAGE, (b"accept", b"TEXT/HTML")])
def test_a_person_is_sent_to_https(method: str, header: tuple[bytes, bytes]) -> None:
    """A bare app serves plain http; behind the layer a page is under https, and no cache keeps it."""
    scope = http_scope("/a", method=method, headers=[header])
    assert call(replies_with(), scope).status == 200
    reply = call(HostsMiddleware(replies_with(), REDIRECT), scope)
    assert (reply.status, reply.body) == (308, b"")
    assert reply.header("location") == "https://shop.example/a"
    assert reply.header("cache-control") == "no-store"
    assert reply.header("vary") == "Accept, Authorization, Upgrade-Insecure-Requests"
    assert reply.header("content-length") == "0"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", [(b"accept", b"*/*")]),
        ("GET", [(b"accept", b"application/json")]),
        ("GET", [(b"upgrade-insecure-requests", b"0")]),
        ("GET", [(b"authorization", b"Bearer x"), OPENED, PAGE]),
        ("GET", [OPENED, (b"authorization", b"")]),
        ("POST", [OPENED, PAGE]),
        ("PUT", [OPENED]),
        ("OPTIONS", [OPENED]),
        ("get", [OPENED]),
    ],
)
def test_a_program_is_refused(method: str, headers: list[tuple[bytes, bytes]]) -> None:
    """What a person does not type is not redirected, so that its author learns what travelled unprotected."""
    reply = ask("/", *headers, method=method)
    assert (reply.status, reply.header("location")) == (403, None)
    assert b"served over https only" in reply.body
    assert reply.header("vary") is not None


@pytest.mark.parametrize("settings", [REDIRECT, REFUSE])
def test_a_handshake_is_denied(settings: Hosts) -> None:
    """A WebSocket over plain http is refused, one over https is accepted."""
    app = HostsMiddleware(accepts, settings)
    assert handshake(app, websocket_scope(headers=[OPENED])).reply.status == 403
    assert handshake(app, websocket_scope(denial=False)).sent[0]["code"] == 1008
    assert handshake(app, websocket_scope(scheme="wss")).sent[0]["type"] == "websocket.accept"


def test_refuse_redirects_nobody() -> None:
    """For an API nothing comes over plain http, whatever the Host; without a list no Host is needed."""
    for lines in ([(b"host", b"any.example"), OPENED], [OPENED]):
        scope = {**http_scope(), "headers": lines}
        assert call(HostsMiddleware(replies_with(), REFUSE), scope).status == 403
        https = {**scope, "scheme": "https"}
        assert call(HostsMiddleware(replies_with(), REFUSE), https).status == 200


def test_https_and_the_default_are_left_alone() -> None:
    """What came over https passes, and until it is told the layer does not ask."""
    assert ask(scheme="https").status == 200
    assert ask(settings=Hosts(allowed=NAMES)).status == 200
    scope = http_scope(headers=[OPENED])
    del scope["scheme"]
    assert call(HostsMiddleware(replies_with(), REDIRECT), scope).status == 308


@pytest.mark.parametrize(
    "host", [b"evil.example", b"shop.example.evil.example", b"shop.example@evil.example", b""]
)
def test_nobody_is_sent_to_a_strange_host(host: bytes) -> None:
    """The Host is judged first, so that a link to us never leads elsewhere."""
    scope = {**http_scope(), "headers": [(b"host", host), OPENED]}
    reply = call(HostsMiddleware(replies_with(), REDIRECT), scope)
    assert reply.status in {400, 421}
    assert reply.header("location") is None


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        (b"shop.example:80", 443, "shop.example"),
        (b"SHOP.example.:8080", 443, "shop.example"),
        (b"shop.example:8080", 8443, "shop.example:8443"),
        (b"a.cdn.example", 443, "a.cdn.example"),
        (b"[2001:DB8::1]:80", 443, "[2001:db8::1]"),
        (b"[2001:db8::1]", 8443, "[2001:db8::1]:8443"),
    ],
)
def test_the_host_stays_and_the_port_changes(host: bytes, port: int, authority: str) -> None:
    """Whatever the port of http was, people go to that of https."""
    settings = Hosts(allowed=NAMES, https="redirect", https_port=port)
    assert ask(settings=settings, host=host).header("location") == f"https://{authority}/"


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ({"path": "/a b/ü", "raw_path": b"/a%20b/%c3%BC", "query": b"q=%20+"}, "/a%20b/%c3%BC?q=%20+"),
        ({"path": "/a/b", "raw_path": b"/a%2Fb"}, "/a%2Fb"),
        ({"path": "/a b/ü;x=1", "raw_path": None}, "/a%20b/%C3%BC;x=1"),
        ({"path": "/a?b#c%41", "raw_path": None}, "/a%3Fb%23c%2541"),
        ({"path": "/new", "raw_path": b"/old"}, "/new"),
        ({"path": "/@evil.example/", "raw_path": b"%2F@evil.example/"}, "/@evil.example/"),
        ({"path": "/a", "raw_path": b"/a?q=1", "query": b"q=1"}, "/a?q=1"),
        ({"path": "//evil.example/x"}, "//evil.example/x"),
        ({"path": "/\\evil.example"}, "/\\evil.example"),
        ({"path": "/shop/a", "root_path": "/shop"}, "/shop/a"),
        ({"path": "/shop", "root_path": "/shop/"}, "/shop"),
        ({"path": "/a", "root_path": "/shop"}, "/shop/a"),
        ({"path": "/shopping", "root_path": "/shop"}, "/shop/shopping"),
        ({"path": "/\udcff\ud800", "raw_path": None}, "/%3F%3F"),
        ({"path": "/a\r\nset-cookie: x", "raw_path": None}, "/a%0D%0Aset-cookie:%20x"),
        ({"path": "/a\r\nb", "raw_path": b"/a\r\nb", "query": b"\r\nx: y"}, "/a%0D%0Ab?%0D%0Ax:%20y"),
    ],
)
def test_path_and_query_arrive_as_they_were_sent(scope: dict[str, Any], target: str) -> None:
    """Escapes stay byte for byte, what has none and needs one gets it, and the prefix of a proxy is there."""
    path = scope.pop("path")
    assert ask(path, **scope).header("location") == f"https://shop.example{target}"


@pytest.mark.parametrize("path", ["@evil.example/", ".evil.example", "http://shop.example/x", "*", ""])
def test_a_target_that_is_no_path_is_not_redirected(path: str) -> None:
    """`GET @evil.example` would make our host the user name of another one."""
    reply = ask(path)
    assert (reply.status, reply.header("location")) == (403, None)


@given(path=ON_LINE, raw=st.none() | st.binary(max_size=30), root=ON_LINE, query=st.binary(max_size=30))
def test_a_location_is_one_line_and_leads_to_us(
    path: str, raw: bytes | None, root: str, query: bytes
) -> None:
    """No bytes of a client end the header or change the host."""
    reply = ask(f"/{path}", raw_path=raw, root_path=root and f"/{root}", query=query)
    found = reply.header("location")
    assert found is not None
    assert found.startswith("https://shop.example/")
    assert all("!" <= char <= "~" for char in found)


def test_some_paths_are_served_over_plain_http() -> None:
    """Certificate authorities ask over plain http; a detour through their path leads to nothing else."""
    program = (b"accept", b"*/*")
    assert ask("/.well-known/acme-challenge/token", program).status == 200
    assert ask("/shop/.well-known/acme-challenge/token", program, root_path="/shop").status == 200
    assert ask("/.well-known/acme-challenge/token", host=b"evil.example").status == 421
    for path in ("/.well-known/acme-challenge/../../admin", "/.well-known/acme-challenge//x", "/ping"):
        assert ask(path, program).status == 403
    ping = Hosts(https="refuse", plain="GET /ping")
    assert ask("/ping", program, settings=ping).status == 200
    assert ask("/ping", program, settings=ping, method="POST").status == 403
    assert ask("/.well-known/acme-challenge/token", program, settings=ping).status == 403


@pytest.mark.parametrize(
    "line",
    [
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-protocol", b"https"),
        (b"x-forwarded-scheme", b"HTTPS"),
        (b"x-forwarded-ssl", b"on"),
        (b"forwarded", b"for=192.0.2.7;proto=https"),
        (b"sec-fetch-mode", b"navigate"),
    ],
)
@pytest.mark.parametrize("settings", [REDIRECT, REFUSE])
def test_a_proxy_that_is_not_trusted_makes_no_loop(line: tuple[bytes, bytes], settings: Hosts) -> None:
    """A browser that is on https already is not sent round; the operator reads which variable is missing."""
    reply = ask("/", OPENED, line, settings=settings)
    assert (reply.status, reply.header("location")) == (400, None)
    assert "GARRISON_PROXY_TRUSTED" in reply.json["detail"]
    assert ask("/", OPENED, line, settings=settings, scheme="https").status == 200
    denied = handshake(HostsMiddleware(accepts, settings), websocket_scope(headers=[line]))
    assert denied.reply.status == 400


def test_a_proxy_that_says_http_is_redirected() -> None:
    """A claim of plain http is none of https."""
    for line in (
        (b"x-forwarded-proto", b"http"),
        (b"forwarded", b"proto=http"),
        (b"x-forwarded-ssl", b"off"),
    ):
        assert ask("/", OPENED, line).status == 308


@pytest.mark.parametrize("host", [b"localhost:8000", b"app.localhost", b"127.0.0.1:8000"])
def test_a_browser_on_its_own_machine_is_redirected(host: bytes) -> None:
    """Browsers take their own machine for secure and say more there; that is no proxy."""
    assert ask("/", OPENED, (b"sec-fetch-mode", b"navigate"), host=host).status == 308


def hardened(trusted: str | int, *headers: tuple[bytes, bytes]) -> Reply:
    """The reply of the whole stack with this proxy trusted, or so many of them."""
    proxy = Proxy(hops=trusted) if isinstance(trusted, int) else Proxy(trusted=(ip_network(trusted),))
    settings = Settings(proxy=proxy, access_log=None, hosts=REDIRECT)
    return call(harden(replies_with(), settings), http_scope(headers=[OPENED, *headers]))


def test_the_word_of_a_trusted_proxy_counts() -> None:
    """What the proxy vouches for is https, what it says came over http is redirected."""
    peer = CLIENT[0]
    assert hardened(peer, (b"x-forwarded-proto", b"https")).status == 200
    assert hardened(peer, (b"x-forwarded-proto", b"http")).status == 308
    assert hardened(peer).status == 308
    assert hardened(peer, (b"x-forwarded-proto", b"https, http")).status == 308
    silent = hardened(peer, (b"sec-fetch-mode", b"navigate"))
    assert silent.status == 400
    assert "X-Forwarded-Proto" in silent.json["detail"]


def test_a_strangers_claim_that_was_stripped_is_remembered() -> None:
    """Where another proxy is trusted, the one that is not still makes no loop."""
    reply = hardened("10.0.0.0/8", (b"x-forwarded-proto", b"https"))
    assert reply.status == 400
    assert "GARRISON_PROXY_TRUSTED" in reply.json["detail"]


def test_a_proxy_that_was_counted_twice_makes_no_loop() -> None:
    """With fewer proxies than were counted nobody is believed, and the reply names the number."""
    lines = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-proto", b"https")]
    assert hardened(1, *lines).status == 200
    reply = hardened(2, *lines)
    assert reply.status == 400
    assert "GARRISON_PROXY_HOPS" in reply.json["detail"]


def test_the_log_tells_who_redirected(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wonders about a 308 finds the layer beside it."""
    call(harden(replies_with(), Settings(hosts=REDIRECT)), http_scope(headers=[OPENED]))
    assert '"rejected_by":"hosts"' in capsys.readouterr().out.replace(" ", "")


def problems_of(variables: dict[str, str]) -> Iterable[str]:
    """What is said about an environment."""
    with pytest.raises(SettingsError) as caught:
        load(Settings, environ=variables)
    return [str(problem) for problem in caught.value.problems]


def test_a_redirect_needs_hosts() -> None:
    """A redirect to whatever Host a link says does not start; refusing needs no names."""
    (problem,) = problems_of({"GARRISON_HOSTS_HTTPS": "redirect"})
    assert problem.startswith(
        "GARRISON_HOSTS_HTTPS: expected refuse or off while GARRISON_HOSTS_ALLOWED is empty"
    )
    with pytest.raises(SettingsError, match=r"^Hosts\.https: "):
        Hosts(https="redirect")
    environ = {"GARRISON_HOSTS_HTTPS": "refuse"}
    assert load(Settings, environ=environ).value.hosts == REFUSE
    assert load(Settings, environ={"GARRISON_HOSTS_HTTPS": "off"}).value.hosts == Hosts()


def test_everything_wrong_is_said_at_once() -> None:
    """Port, paths and names are shown together, each with its variable."""
    found = problems_of(
        {
            "GARRISON_HOSTS_ALLOWED": "@",
            "GARRISON_HOSTS_HTTPS_PORT": "0",
            "GARRISON_HOSTS_PLAIN": "/ping; GET",
        }
    )
    names, *others = found
    assert names.startswith("GARRISON_HOSTS_ALLOWED: expected host names without scheme and port")
    assert others == [
        "GARRISON_HOSTS_HTTPS_PORT: expected a port from 1 to 65535, found '0'.",
        "GARRISON_HOSTS_PLAIN: expected paths such as '/.well-known/acme-challenge/*; /ping', found 'GET'.",
    ]


def test_a_handshake_is_no_navigation() -> None:
    """Browsers do not follow a redirect of a WebSocket."""
    assert not is_navigation(websocket_scope(headers=[OPENED]))
