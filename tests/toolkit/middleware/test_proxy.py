"""Forwarded headers: believed from right to left as far as trust reaches, and from nobody else."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

import pytest

from garrison import Proxy, SettingsError
from garrison.forwarding.names import FORWARDING
from tests.toolkit.driver import http_scope, websocket_scope
from tests.toolkit.middleware.proxied import PROXY, STRANGER, Proxied

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Scope

TRUSTED: Final = Proxy(trusted=tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:ffff::/48"))))


def seen_by_app(settings: Proxy, scope: Scope) -> Scope:
    """The scope as it arrives below the layer."""
    return Proxied(settings).see(scope)


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
        (["::FFFF:192.0.2.1"], "192.0.2.1"),
        (["2001:DB8:0:0::7"], "2001:db8::7"),
        (["fe80::1%eth0"], "fe80::1"),
        (["192.0.2.1,, 10.0.0.2"], "10.0.0.2"),
        (["", "192.0.2.1"], "192.0.2.1"),
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
    headers = [(b"x-forwarded-proto", proto.encode())]
    scope = websocket_scope(headers=headers, client=("10.0.0.1", 1))
    assert seen_by_app(TRUSTED, scope)["scheme"] == scheme
    del scope["scheme"]
    assert seen_by_app(TRUSTED, scope)["scheme"] == scheme


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


HOPS: Final = Proxy(hops=2)
FOR, PROTO, FORWARDED = b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"


def names_of(scope: Scope) -> list[bytes]:
    """The names of the header lines, the Host apart."""
    return [name for name, _ in scope["headers"] if name != b"host"]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["192.0.2.1, 198.51.100.7"], "192.0.2.1"),
        (["6.6.6.6, 192.0.2.1", "198.51.100.7"], "192.0.2.1"),
        (["unknown, 198.51.100.7"], "198.51.100.7"),
    ],
)
def test_proxies_can_be_counted(forwarded: list[str], client: str) -> None:
    """With a number of proxies the client is the entry with that number, from whatever address it comes."""
    lines = [*((FOR, line.encode()) for line in forwarded), (PROTO, b"https")]
    scope = Proxied(HOPS).ask(*lines, client=("203.0.113.200", 1))
    assert (scope["client"], scope["scheme"]) == ((client, 0), "https")
    assert scope["garrison"].trusted is True


@pytest.mark.parametrize(
    "lines", [[(FOR, b"192.0.2.1")], [(PROTO, b"https")], [(FOR, b""), (PROTO, b"https")]]
)
def test_who_came_around_a_proxy_is_a_stranger(lines: list[tuple[bytes, bytes]]) -> None:
    """With fewer entries than proxies nothing is believed, and the headers are gone."""
    scope = Proxied(HOPS).ask(*lines, client=STRANGER)
    assert (scope["client"], scope["scheme"], names_of(scope)) == (STRANGER, "http", [])
    assert scope["garrison"].trusted is False


@pytest.mark.parametrize("peer", [None, ("", 0)])
@pytest.mark.parametrize("more", [{}, {"trusted": TRUSTED.trusted}, {"hops": 1}])
def test_a_unix_socket_is_trusted_when_told(peer: object, more: dict[str, object]) -> None:
    """A peer without an address is a proxy only where the setting says so, with a list and with a number."""
    lines = [(FOR, b"192.0.2.1"), (PROTO, b"https")]
    told = Proxied(Proxy(unix=True, **more)).ask(*lines, client=peer)  # type: ignore[arg-type]
    assert (told["client"], told["scheme"]) == (("192.0.2.1", 0), "https")
    assert told["garrison"].client == "192.0.2.1"
    if more:
        scope = Proxied(Proxy(**more)).ask(*lines, client=peer)  # type: ignore[arg-type]
        assert (scope["client"], scope["scheme"], names_of(scope)) == (peer, "http", [])


def test_a_trusted_socket_does_not_make_addresses_trusted() -> None:
    """With the socket alone, a peer that has an address is a stranger."""
    scope = Proxied(Proxy(unix=True)).ask((FOR, b"192.0.2.1"), client=("127.0.0.1", 1))
    assert (scope["client"], names_of(scope)) == (("127.0.0.1", 1), [])


def test_forwarded_is_read_where_it_is_chosen() -> None:
    """With the other family the client, the scheme and several lines come from RFC 7239."""
    settings = Proxy(trusted=TRUSTED.trusted, family="forwarded")
    lines = [
        (FORWARDED, b'for=6.6.6.6;proto=http, For="[2001:db8::7]:4711";proto=https;by=_edge'),
        (FORWARDED, b"for=10.0.0.2;proto=http"),
    ]
    scope = Proxied(settings).ask(*lines)
    assert (scope["client"], scope["scheme"]) == (("2001:db8::7", 0), "https")
    assert names_of(scope) == [FORWARDED, FORWARDED]


@pytest.mark.parametrize("family", ["forwarded", "x-forwarded"])
def test_the_family_is_never_chosen_by_presence(family: str) -> None:
    """What a trusted proxy passes on of the other family is dropped and not believed."""
    settings = Proxy(trusted=TRUSTED.trusted, family=family)  # type: ignore[arg-type]
    x_family = [
        (FOR, b"6.6.6.6"),
        (PROTO, b"https"),
        (b"x-forwarded-host", b"evil"),
        (b"x-real-ip", b"6.6.6.6"),
    ]
    lines = [(FORWARDED, b"for=6.6.6.6;proto=https")] if family == "x-forwarded" else x_family
    scope = Proxied(settings).ask(*lines, (b"x-mine", b"1"))
    assert (scope["client"], scope["scheme"], names_of(scope)) == (PROXY, "http", [b"x-mine"])


def test_what_is_not_accepted_stays_as_it_came() -> None:
    """A fact outside of `accept` changes nothing, and the app can still read it from a trusted proxy."""
    lines = [
        (FOR, b"192.0.2.1"),
        (PROTO, b"https"),
        (b"x-forwarded-host", b"a"),
        (b"x-forwarded-prefix", b"/a"),
    ]
    scope = Proxied(TRUSTED).ask(*lines)
    assert scope["headers"] == [(b"host", b"shop.example"), *lines]
    assert (scope["server"], scope["root_path"], scope["path"]) == (("127.0.0.1", 8000), "", "/")
    scope = Proxied(Proxy(trusted=TRUSTED.trusted, accept=())).ask(*lines)
    assert (scope["client"], scope["scheme"], scope["garrison"].trusted) == (PROXY, "http", True)


STRIP: Final = Proxy(trusted=TRUSTED.trusted, strip=("X-User-ID", "Authorization"))
USER: Final = [
    (b"x-user-id", b"7"),
    (b"x_user_id", b"8"),
    (b"x_user-id", b"9"),
    (b"authorization", b"Bearer x"),
]


def test_a_header_of_the_proxy_is_taken_from_strangers() -> None:
    """Who is not trusted cannot say who the user is, in any spelling; the proxy can, in one."""
    assert names_of(Proxied(STRIP).ask(*USER, client=STRANGER)) == []
    assert Proxied(STRIP).ask(*USER)["headers"][1:] == [USER[0], USER[3]]


def test_a_header_can_be_closed_to_everybody() -> None:
    """With nobody to trust, what is listed reaches the app from nobody, and forwarding headers still do."""
    scope = Proxied(Proxy(strip=("X-User-ID",))).ask(*USER, (FOR, b"6.6.6.6"))
    assert names_of(scope) == [b"authorization", FOR]
    assert (scope["client"], scope["garrison"].trusted) == (PROXY, False)


@pytest.mark.parametrize("client", [PROXY, STRANGER])
def test_lookalikes_of_forwarding_headers_come_from_nobody(client: object) -> None:
    """A WSGI app takes these for the real ones, and a proxy that overwrites those lets these pass."""
    names = [b"x_forwarded_for", b"x-forwarded_for", b"x_real_ip", b"x_forwarded-proto"]
    assert names_of(Proxied(TRUSTED).ask(*((name, b"6.6.6.6") for name in names), client=client)) == []


@pytest.mark.parametrize(
    ("line", "claims"),
    [
        ((PROTO, b"https"), True),
        ((PROTO, b"http, HTTPS"), True),
        ((FORWARDED, b'for=a;Proto="https"'), True),
        ((PROTO, b"http"), False),
        ((FOR, b"https"), False),
    ],
)
def test_what_a_stranger_claims_is_noted(line: tuple[bytes, bytes], claims: bool) -> None:
    """A proxy that nobody told us of may have ended TLS; what it says changes nothing, and is remembered."""
    scope = Proxied(TRUSTED).ask(line, client=STRANGER)
    assert (scope["scheme"], scope["garrison"].claims_https) == ("http", claims)
    assert Proxied(TRUSTED).ask(line)["garrison"].claims_https is False


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"hops": -1}, "Proxy.hops: expected a number from 0 to 32, found '-1'."),
        ({"hops": 33}, "Proxy.hops: expected a number from 0 to 32, found '33'."),
        (
            {"hops": 1, "trusted": (ip_network("10.0.0.0/8"),)},
            "Proxy.hops: expected 0 where `trusted` names the proxies, found '1'.",
        ),
        (
            {"family": "forwarded", "accept": ("for", "port")},
            (
                "Proxy.accept: expected for, proto and host only, since the family `forwarded` has no other"
                " facts, found 'for,port'."
            ),
        ),
        *(
            (
                {"strip": (name,)},
                (
                    "Proxy.strip: expected names of headers with at most 10 dashes, and none that frames a"
                    f" message, found {name!r}."
                ),
            )
            for name in ("Host", "X User", "transfer_encoding", "", "a-" * 11)
        ),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(values: dict[str, object], problem: str) -> None:
    """What cannot be meant is named when the app starts."""
    with pytest.raises(SettingsError) as caught:
        Proxy(**values)  # type: ignore[arg-type]
    assert str(caught.value) == problem


def test_all_contradictions_are_told_at_once() -> None:
    """Who has several things to mend sees all of them."""
    with pytest.raises(SettingsError) as caught:
        Proxy(hops=1, trusted=TRUSTED.trusted, family="forwarded", accept=("prefix",), strip=("Host",))
    fields = [problem.name for problem in caught.value.problems]
    assert fields == ["Proxy.hops", "Proxy.accept", "Proxy.strip"]
