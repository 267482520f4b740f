"""The host list: who asks for another host gets no reply that could carry its name."""

from __future__ import annotations

import pytest

from garrison import Hosts, HostsMiddleware, SettingsError
from tests.toolkit.driver import accepts, call, handshake, http_scope, replies_with, websocket_scope

ALLOWED = Hosts(allowed=("Shop.example", "old.example.", "*.cdn.example", "192.0.2.1", "[2001:db8:0::1]"))


@pytest.mark.parametrize(
    "host",
    [
        b"shop.example",
        b"SHOP.example",
        b"shop.example:8443",
        b"a.cdn.example",
        b"a.b.cdn.example:1",
        b"192.0.2.1:80",
        b"[2001:db8::1]:443",
        b"[2001:DB8::1]",
        b"[2001:0db8:0::1]:80",
        b"shop.example.",
        b"SHOP.example.:80",
        b"a.cdn.example.",
        b"old.example",
    ],
)
def test_an_allowed_host_is_served(host: bytes) -> None:
    """Names go in any case, with any port and the dot of the root; `*.` stands for every name below."""
    assert call(HostsMiddleware(replies_with(), ALLOWED), http_scope(headers=[(b"host", host)])).status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"evil.example", 421),
        (b"shop.example.evil.example", 421),
        (b"notshop.example", 421),
        (b"cdn.example", 421),
        (b"evilcdn.example", 421),
        (b".cdn.example", 400),
        (b"a..cdn.example", 400),
        (b"shop.example..", 400),
        (b"[2001:db8::2]", 421),
        (b"[2001:db8:::1]", 400),
        (b"a." * 200 + b"cdn.example", 400),
        (b"192.0.2.2", 421),
        (b"", 400),
        (b"shop.example:port", 400),
        (b"shop.example/path", 400),
        (b"user@shop.example", 400),
        (b"shop.example\r\nx: y", 400),
        (b"\xff", 400),
        (b"shop.example:\xb2", 400),
    ],
)
def test_another_host_is_refused(host: bytes, status: int) -> None:
    """A bare app serves any host; behind the list a strange one is a 421 and a malformed one a 400."""
    scope = http_scope(headers=[(b"host", host)])
    assert call(replies_with(), scope).status == 200
    reply = call(HostsMiddleware(replies_with(), ALLOWED), scope)
    assert reply.status == status
    assert host not in reply.body or host == b""


def test_exactly_one_host_is_needed() -> None:
    """No Host and two Hosts are malformed, even where one of them is allowed."""
    app = HostsMiddleware(replies_with(), ALLOWED)
    several = [(b"host", b"shop.example"), (b"host", b"evil.example")]
    assert call(app, http_scope(headers=several)).status == 400
    assert call(app, {**http_scope(), "headers": []}).status == 400


def test_without_a_list_every_host_is_served() -> None:
    """The layer does nothing until it is told which hosts are ours."""
    for headers in ([], [(b"host", b"evil.example")]):
        assert call(HostsMiddleware(replies_with()), {**http_scope(), "headers": headers}).status == 200


def test_a_handshake_is_judged_too() -> None:
    """A WebSocket for a strange host is denied."""
    app = HostsMiddleware(accepts, ALLOWED)
    assert handshake(app).sent[0]["type"] == "websocket.accept"
    assert handshake(app, websocket_scope(headers=[(b"host", b"evil.example")])).reply.status == 421


@pytest.mark.parametrize(
    "name",
    [
        "https://shop.example",
        "shop.example:443",
        "*",
        "a.*.example",
        "shop example",
        "",
        "[::g]",
        "[::1::]",
        "a..b",
    ],
)
def test_what_is_no_host_name_fails_at_start(name: str) -> None:
    """A scheme, a port or a star in the middle would never match anything."""
    with pytest.raises(SettingsError, match=r"^Hosts\.allowed: expected host names without scheme and port"):
        Hosts(allowed=("shop.example", name))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("*", "Leave the list empty to answer every host."),
        (".shop.example", "Every name below is *.shop.example."),
        ("bücher.example", "Browsers ask for xn--bcher-kva.example."),
        ("*.BÜCHER.example", "Browsers ask for *.xn--bcher-kva.example."),
        ("straße.example", "Browsers ask for xn--strae-oqa.example."),
    ],
)
def test_the_right_name_is_proposed(name: str, hint: str) -> None:
    """Whoever writes a name as people or other frameworks do learns how browsers send it."""
    with pytest.raises(SettingsError) as caught:
        Hosts(allowed=(name,))
    assert str(caught.value).endswith(f", found {name!r}. {hint}")


def test_every_wrong_name_is_shown() -> None:
    """A list is corrected in one go."""
    with pytest.raises(SettingsError) as caught:
        Hosts(allowed=("a b", "shop.example", "ü ü", "."))
    assert [problem.found for problem in caught.value.problems] == ["a b", "ü ü", "."]
    assert {problem.hint for problem in caught.value.problems} == {""}
