"""Whatever a stranger writes into forwarding headers, the app does not see and does not feel it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from hypothesis import given
from hypothesis import strategies as st

from garrison import Proxy
from garrison.forwarding.names import FORWARDING, spellings
from tests.toolkit.driver import http_scope, websocket_scope
from tests.toolkit.middleware.proxied import STRANGER, Proxied

if TYPE_CHECKING:
    from garrison.asgi import Headers, Scope
    from garrison.middleware.proxy import Fact

NETWORK: Final = (ip_network("10.0.0.0/8"),)
X_FACTS: Final[tuple[Fact, ...]] = ("for", "proto", "host", "port", "prefix")
SETTINGS: Final = [
    Proxy(trusted=NETWORK, unix=True, accept=X_FACTS, strip=("X-User-ID",)),
    Proxy(trusted=NETWORK, family="forwarded", accept=("for", "proto", "host"), strip=("X-User-ID",)),
]
NAMES: Final = sorted(spellings(FORWARDING | {b"x-user-id"}))
WORDS: Final = [
    b"10.0.0.1", b"192.0.2.1", b"[2001:db8::7]:80", b"::1", b"unknown", b"_hidden", b"https", b"http", b"wss",
    b"evil.example", b"evil.example:443", b"443", b"/admin", b"//evil.example", b",", b", ", b";", b'"',
    b"\\", b"for=10.0.0.1", b'for="[::1]:80";proto=https', b"host=evil.example", b"proto=", b"", b"\xff",
    b"\0", b"\r\nhost: evil.example", b"%", b"[", b"1" * 5000,
]  # fmt: skip
VALUES: Final = st.lists(st.sampled_from(WORDS) | st.binary(max_size=12), max_size=5).map(b"".join)
FORGED: Final = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6)
FACTS: Final = ("client", "scheme", "server", "path", "raw_path", "root_path", "headers")


def seen(settings: Proxy, scope: Scope) -> dict[str, Any]:
    """What the app could be told by the scope, and what the layers are told by the context."""
    found = Proxied(settings).see(scope)
    context = found["garrison"]
    told = {name: getattr(context, name) for name in ("client", "peer", "trusted", "path", "root_path")}
    return {**{name: found.get(name) for name in FACTS}, "context": told}


@given(FORGED, st.booleans())
def test_a_stranger_changes_nothing(forged: Headers, is_handshake: bool) -> None:
    """No forwarding header of a peer that is not trusted changes client, scheme, host, path or headers."""
    make = websocket_scope if is_handshake else http_scope
    for settings in SETTINGS:
        honest = seen(settings, make("/a", headers=[(b"accept", b"a")], client=STRANGER))
        scope = make("/a", headers=[(b"accept", b"a"), *forged], client=STRANGER)
        assert seen(settings, scope) == honest


@given(FORGED, st.integers(1, 3))
def test_a_stranger_with_too_few_hops_changes_nothing(forged: Headers, hops: int) -> None:
    """Where proxies are counted, whoever brings fewer entries than there are proxies is ignored."""
    lines = [(name, value) for name, value in forged if name != b"x-forwarded-for"]
    settings = Proxy(hops=hops, accept=X_FACTS)
    honest = seen(settings, http_scope("/a", client=STRANGER))
    assert seen(settings, http_scope("/a", headers=lines, client=STRANGER))["context"] == honest["context"]
    assert seen(settings, http_scope("/a", headers=lines, client=STRANGER))["scheme"] == honest["scheme"]


@given(FORGED)
def test_behind_a_proxy_a_client_cannot_be_somebody_else(forged: Headers) -> None:
    """What a client sends to a proxy that appends to it changes neither its address nor its scheme."""
    plain, standard = SETTINGS
    own = [(b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-proto", b"https")]
    scope = Proxied(plain).ask(*forged, *own, client=("10.0.0.1", 4000))
    assert (scope["client"], scope["scheme"]) == (("192.0.2.1", 0), "https")
    appended = (b"forwarded", b"".join(value + b", " for _, value in forged) + b"for=192.0.2.1;proto=https")
    scope = Proxied(standard).ask(*forged, appended, client=("10.0.0.1", 4000))
    assert (scope["client"], scope["scheme"]) == (("192.0.2.1", 0), "https")


@given(FORGED)
def test_a_trusted_proxy_may_pass_on_anything(forged: Headers) -> None:
    """No bytes in any forwarding header are too strange for the layer, and what comes out is an address."""
    for settings in SETTINGS:
        scope = Proxied(settings).ask(*forged, client=("10.0.0.1", 4000))
        assert str(ip_address(scope["client"][0])) == scope["client"][0]
        assert scope["scheme"] in {"http", "https"}
        assert scope["path"].startswith("/")
        assert not scope["path"].startswith("//")
        assert scope["path"].startswith(scope["root_path"])
        assert len([name for name, _ in scope["headers"] if name == b"host"]) == 1
        assert not {b"x_user_id", b"x-user_id", b"x_user-id"} & {name for name, _ in scope["headers"]}
