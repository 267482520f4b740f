"""Scheme, host, port and prefix: what is none of these is not believed."""

from __future__ import annotations

import pytest

from garrison.forwarding.facts import authority_of, read_host, read_port, read_prefix, read_scheme


@pytest.mark.parametrize(
    ("word", "scheme", "found"),
    [
        ("https", "http", "https"), ("HTTPS", "http", "https"), ("wss", "http", "https"),
        ("http", "https", "http"), ("https", "ws", "wss"), ("wss", "ws", "wss"), ("ws", "wss", "ws"),
        ("javascript", "http", "http"), ("", "https", "https"), ("https", "coap", "coap"),
    ],
)  # fmt: skip
def test_schemes(word: str, scheme: str, found: str) -> None:
    """A word that is a scheme decides about encryption and not about the protocol."""
    assert read_scheme(word, scheme) == found


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("shop.example", ("shop.example", None)),
        ("shop.example:8443", ("shop.example", 8443)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("[2001:db8::1]", ("[2001:db8::1]", None)),
        ("[2001:db8::1]:443", ("[2001:db8::1]", 443)),
        ("my_service-1", ("my_service-1", None)),
    ],
)
def test_hosts(text: str, host: tuple[str, int | None]) -> None:
    """A name or an address, and perhaps a port."""
    assert read_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "", ":80", "shop.example:", "shop.example:0", "shop.example:65536", "shop.example:80:80", "a b",
        "a/b", "a@b", "a?b", "a#b", "a,b", "a\r\nx: y", "a\n", "\xe4.example", "a:\xb2", "2001:db8::1",
        "[2001:db8::1", "[::g]", "[192.0.2.1]", "[...]", "a" * 301,
    ],
)  # fmt: skip
def test_no_hosts(text: str) -> None:
    """What could end in a link or a redirect as something else is no host."""
    assert read_host(text) is None


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("1", 1), ("443", 443), ("65535", 65535), ("0", None), ("65536", None), ("-1", None), ("+1", None),
        (" 1", None), ("1_0", None), ("\xb2", None), ("\u0661", None), ("9" * 5000, None), ("", None),
    ],
)  # fmt: skip
def test_ports(text: str, port: int | None) -> None:
    """Digits alone, and not more than there are ports."""
    assert read_port(text) == port


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("/shop", "/shop"), ("/shop/", "/shop"), ("/v1/shop~a", "/v1/shop~a"),
        ("/.well-known", "/.well-known"), ("/...", "/..."), ("/a.", "/a."), ("", None), ("/", None),
        ("shop", None), ("//evil.example", None), ("/a//b", None), ("/a//", None), ("/..", None),
        ("/a/../b", None), ("/.", None), ("/a/./b", None), ("/%2e%2e", None), ("/a?b", None),
        ("/a#b", None), ("/a\\b", None), ("/a b", None), ("/a\n", None), ("/\xe4", None),
        ("https://evil.example", None), ("/" + "a" * 1024, None),
    ],
)  # fmt: skip
def test_prefixes(text: str, prefix: str | None) -> None:
    """A plain path that stays where it is, and cannot be read as the name of a host."""
    assert read_prefix(text) == prefix


@pytest.mark.parametrize(
    ("host", "port", "scheme", "authority", "server"),
    [
        (("a.example", None), None, "https", "a.example", ("a.example", 443)),
        (("a.example", 443), None, "https", "a.example", ("a.example", 443)),
        (("a.example", None), 443, "wss", "a.example", ("a.example", 443)),
        (("a.example", None), 8443, "https", "a.example:8443", ("a.example", 8443)),
        (("a.example", 8443), 443, "https", "a.example:8443", ("a.example", 8443)),
        (("a.example", 443), None, "http", "a.example:443", ("a.example", 443)),
        (("[::1]", None), 81, "http", "[::1]:81", ("::1", 81)),
        (("a.example", None), None, "coap", "a.example", ("a.example", None)),
    ],
)
def test_authorities(
    host: tuple[str, int | None],
    port: int | None,
    scheme: str,
    authority: str,
    server: tuple[str, int | None],
) -> None:
    """The host's own port wins over one that is told beside it, and a scheme's own is left out."""
    assert authority_of(host, port, scheme) == (authority, server)
