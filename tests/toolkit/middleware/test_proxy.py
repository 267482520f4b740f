"""Forwarded headers: believed from right to left as far as trust reaches, and from nobody else."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import pytest

from garrison import Proxy, ProxyMiddleware
from garrison.middleware.proxy import FORWARDING
from tests.toolkit.driver import call, handshake, http_scope, replies_with, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Receive, Scope, Send

TRUSTED: Final = Proxy(trusted=tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:ffff::/48"))))


def seen_by_app(settings: Proxy, scope: Scope) -> Scope:
    """The scope as it arrives below the layer."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await replies_with()(scope, receive, send)

    call(ProxyMiddleware(app, settings), scope)
    return scopes[0]


def client_of(*forwarded: str, peer: str = "10.0.0.1") -> str:
    """Whom the app takes for the client, given lines of X-Forwarded-For."""
    lines = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    scope = seen_by_app(TRUSTED, http_scope(headers=lines, client=(peer, 4000)))
    address: str = scope["client"][0]
    assert scope["garrison"].client == address
    return address


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1, 10.0.0.2, 10.0.0.3"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        (["6.6.6.6", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        (["6.6.6.6,192.0.2.1", "10.0.0.2,10.0.0.3"], "192.0.2.1"),
        (["10.0.0.9, 10.0.0.2"], "10.0.0.9"),
        (["192.0.2.1:4711"], "192.0.2.1"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["2001:db8::7, 2001:db8:ffff::1"], "2001:db8::7"),
        (["192.0.2.1, ::ffff:10.0.0.2"], "192.0.2.1"),
        (["6.6.6.6, unknown, 10.0.0.2"], "10.0.0.2"),
        (["6.6.6.6, <script>"], "10.0.0.1"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_whom_nobody_vouches_for(forwarded: list[str], client: str) -> None:
    """The chain is read from the right over all lines, and what stands left of a stranger is his word."""
    assert client_of(*forwarded) == client


def test_an_ipv4_proxy_is_known_by_its_mapped_address() -> None:
    """A dual-stack socket shows a trusted IPv4 proxy as IPv6; it is trusted all the same."""
    assert client_of("192.0.2.1", peer="::ffff:10.0.0.1") == "192.0.2.1"


@pytest.mark.parametrize("peer", [("192.0.2.66", 4000), None, ("", 0), ("unix:/run/app", 0)])
def test_a_stranger_changes_nothing_and_his_word_is_stripped(peer: tuple[str, int] | None) -> None:
    """Who is not trusted keeps his own address, and the app never sees what he forged."""
    forged = [(name, b"10.0.0.1") for name in sorted(FORWARDING)]
    headers = [(b"host", b"shop.example"), *forged, (b"x-mine", b"1"), (b"x-forwarded-proto", b"https")]
    scope = seen_by_app(TRUSTED, http_scope(headers=headers, client=peer))
    assert (scope["client"], scope["scheme"]) == (peer, "http")
    assert scope["headers"] == [(b"host", b"shop.example"), (b"x-mine", b"1")]
    assert scope["garrison"].trusted is False


def test_until_told_whom_to_trust_nothing_is_touched() -> None:
    """Without the setting no header is believed and none is removed: uvicorn may have done both."""
    scope = http_scope(headers=[(b"x-forwarded-for", b"192.0.2.9"), (b"x-real-ip", b"192.0.2.9")])
    assert seen_by_app(Proxy(), scope) is scope


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [
        (["https"], "https"),
        (["HTTPS"], "https"),
        (["http"], "http"),
        (["http, https"], "https"),
        (["https", "http"], "http"),
        (["wss"], "https"),
        (["javascript"], "http"),
        ([""], "http"),
    ],
)
def test_the_scheme_is_what_the_nearest_proxy_says(proto: list[str], scheme: str) -> None:
    """A trusted proxy's X-Forwarded-Proto sets the scheme; the last word is the nearest proxy's."""
    lines = [(b"x-forwarded-proto", line.encode()) for line in proto]
    assert seen_by_app(TRUSTED, http_scope(headers=lines, client=("10.0.0.1", 1)))["scheme"] == scheme


@pytest.mark.parametrize(("proto", "scheme"), [(b"http", "http"), (b"javascript", "https"), (b"", "https")])
def test_a_proxy_can_say_that_its_client_came_without_tls(proto: bytes, scheme: str) -> None:
    """The hop to the app may be https although the client's was not; a word that is none says nothing."""
    scope = http_scope(headers=[(b"x-forwarded-proto", proto)], scheme="https", client=("10.0.0.1", 1))
    assert seen_by_app(TRUSTED, scope)["scheme"] == scheme


@pytest.mark.parametrize(("proto", "scheme"), [("https", "wss"), ("wss", "wss"), ("http", "ws")])
def test_a_websocket_keeps_its_own_scheme(proto: str, scheme: str) -> None:
    """Behind https a WebSocket is wss."""
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    headers = [(b"x-forwarded-proto", proto.encode())]
    handshake(ProxyMiddleware(app, TRUSTED), websocket_scope(headers=headers, client=("10.0.0.1", 1)))
    assert scopes[0]["scheme"] == scheme


def test_the_server_keeps_its_own_scope() -> None:
    """What the layer finds out is for the app below; the server's scope stays as it was."""
    headers: Iterable[tuple[bytes, bytes]] = [(b"x-forwarded-for", b"192.0.2.9")]
    scope = http_scope(headers=headers, client=("10.0.0.1", 1))
    before = {**scope, "headers": list(scope["headers"])}
    seen_by_app(TRUSTED, scope)
    assert scope == before


def test_the_peer_is_remembered() -> None:
    """The context knows the client and, for traces, the proxy that the connection came from."""
    scope = http_scope(headers=[(b"x-forwarded-for", b"192.0.2.9")], client=("10.0.0.1", 4000))
    context = seen_by_app(TRUSTED, scope)["garrison"]
    assert (context.client, context.peer, context.trusted) == ("192.0.2.9", ("10.0.0.1", 4000), True)
