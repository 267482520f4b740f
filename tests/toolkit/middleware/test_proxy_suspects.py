"""A proxy that nobody told us of is named once in the log, and nobody else is."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import pytest

from garrison import Proxy, ProxyMiddleware, Settings, harden
from garrison.forwarding.suspects import MOST_SUSPECTS
from garrison.middleware.proxy import LOOKS
from tests.toolkit.driver import call, exchange, http_scope, replies_with, run, websocket_scope
from tests.toolkit.middleware.proxied import Proxied

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send

LINES: Final = [(b"x-forwarded-for", b"192.0.2.1"), (b"forwarded", b"for=secret"), (b"x-mine", b"1")]
TRUSTED: Final = Proxy(trusted=(ip_network("192.0.2.0/24"),), strip=("X-User-ID",))
BOTH: Final = pytest.mark.parametrize("settings", [None, TRUSTED, Proxy(strip=("X-User-ID",))])


@BOTH
@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1", "fe80::1%eth0", "::ffff:172.17.0.1"])
def test_a_private_peer_is_named_once(settings: Proxy | None, peer: str) -> None:
    """Whether somebody is trusted or nobody, one event says who it is and which variable to set."""
    proxied = Proxied(settings)
    for _ in range(3):
        proxied.ask(*LINES, client=(peer, 4000))
    proxied.see(websocket_scope(headers=LINES, client=(peer, 4001)))
    (event,) = proxied.events
    assert event.pop("timestamp")
    assert event == {
        "level": "warning",
        "event": "untrusted_proxy",
        "peer": peer,
        "headers": ["forwarded", "x-forwarded-for"],
        "setting": "GARRISON_PROXY_TRUSTED",
        "advice": "List it there if it is a proxy, and its clients get their own addresses and https.",
    }


@BOTH
@pytest.mark.parametrize("peer", [None, ("", 0)])
def test_a_unix_socket_is_named_by_its_own_variable(settings: Proxy | None, peer: object) -> None:
    """A proxy on a Unix socket has no address to list."""
    proxied = Proxied(settings)
    proxied.ask(*LINES, client=peer)
    (event,) = proxied.events
    assert (event["peer"], event["setting"]) == ("unix socket", "GARRISON_PROXY_UNIX")


def test_too_few_hops_are_named_by_their_number() -> None:
    """Behind fewer proxies than were counted, it is the number that is wrong."""
    proxied = Proxied(Proxy(hops=2))
    proxied.ask(LINES[0], client=("10.0.0.1", 4000))
    (event,) = proxied.events
    assert (event["peer"], event["setting"]) == ("10.0.0.1", "GARRISON_PROXY_HOPS")
    assert "fewer proxies than 2" in event["advice"]


@BOTH
@pytest.mark.parametrize(
    ("peer", "lines"),
    [
        (("203.0.113.7", 4000), LINES),  # a stranger on the internet
        (("10.0.0.1", 4000), LINES[2:]),  # no proxy: it forwards nothing
        (("10.0.0.1", 4000), [(b"x-user-id", b"7")]),
        (("10.0.0.1", 0), LINES),  # a client that the server has read from a header
        (("testclient", 50000), LINES),
        (("1" * 200, 4000), LINES),
    ],
)
def test_nobody_else_is_named(settings: Proxy | None, peer: object, lines: list[tuple[bytes, bytes]]) -> None:
    """Strangers and clients are no proxies, so that the log stays quiet."""
    proxied = Proxied(settings)
    proxied.ask(*lines, client=peer)
    assert proxied.events == []


def test_a_trusted_proxy_is_not_named() -> None:
    """Who is trusted is no news."""
    proxied = Proxied(TRUSTED)
    proxied.ask(*LINES, client=("192.0.2.7", 4000))
    assert proxied.events == []


@BOTH
def test_there_is_an_end_to_the_names(settings: Proxy | None) -> None:
    """However many private peers send such headers, a bounded number of them is named."""
    proxied = Proxied(settings)
    for number in range(MOST_SUSPECTS + 5):
        proxied.ask(*LINES, client=(f"10.0.0.{number}", 4000))
    assert len(proxied.events) == MOST_SUSPECTS


def test_nobody_looks_forever() -> None:
    """Where nobody is trusted, the first thousand requests are looked at, and none after them."""

    async def main() -> None:
        clean = http_scope(client=("10.0.0.1", 4000))
        for _ in range(LOOKS - 1):
            await exchange(proxied.layer, clean)
        assert proxied.events == []
        await exchange(proxied.layer, http_scope(headers=LINES, client=("10.0.0.1", 4000)))
        await exchange(proxied.layer, http_scope(headers=LINES, client=("10.0.0.2", 4000)))

    proxied = Proxied()
    run(main())
    assert [event["peer"] for event in proxied.events] == ["10.0.0.1"]


def test_where_somebody_is_trusted_there_is_no_end_to_looking() -> None:
    """A proxy that is added a month later is named as well."""

    async def main() -> None:
        for _ in range(LOOKS):
            await exchange(proxied.layer, http_scope(client=("10.0.0.1", 4000)))
        await exchange(proxied.layer, http_scope(headers=LINES, client=("10.0.0.2", 4000)))

    proxied = Proxied(TRUSTED)
    run(main())
    assert [event["peer"] for event in proxied.events] == ["10.0.0.2"]


def test_an_outer_layer_has_judged_already() -> None:
    """An app that calls `harden()` below `garrison run` does not take the client for a proxy."""
    for settings in (None, TRUSTED):
        inner = Proxied(settings)
        outer = ProxyMiddleware(inner.layer, Proxy(trusted=(ip_network("10.0.0.0/8"),)))
        for line in ((b"x-forwarded-for", b"10.0.0.5"), (b"x-forwarded-proto", b"https")):
            call(outer, http_scope(headers=[line], client=("10.0.0.7", 4000)))
            assert line in inner.scopes[-1]["headers"]
        assert [scope["client"] for scope in inner.scopes] == [("10.0.0.5", 0), ("10.0.0.7", 4000)]
        assert inner.events == []


def test_looking_costs_no_copy() -> None:
    """Where nothing is set the app gets the very scope of the server."""
    proxied = Proxied()
    scope = http_scope(headers=LINES, client=("10.0.0.1", 4000))
    assert proxied.see(scope) is scope


def test_hardening_with_nothing_set_looks(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """`harden()` alone names the proxy in its own log."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await replies_with()(scope, receive, send)

    call(harden(app, Settings(access_log=None)), http_scope(headers=LINES, client=("10.0.0.1", 4000)))
    assert b'"event":"untrusted_proxy","peer":"10.0.0.1"' in capsysbinary.readouterr().out
