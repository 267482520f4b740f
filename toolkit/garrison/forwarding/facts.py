"""Scheme, host, port and prefix as a proxy tells them; what is none of these is not believed."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Final

# RFC 9110 section 7.2: a name or an address, and perhaps a port.
HOST: Final = re.compile(r"(\[([0-9A-Fa-f:.]+)\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
LONGEST_HOST: Final = 300

# Segments of RFC 3986 section 3.3, without percent-encoding, which has another form in `path` than in
# `raw_path`, and without the comma that parts the words of several proxies. An empty one could make a path
# into the name of another host.
PREFIX: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+;=:@-]++)++")
LONGEST_PREFIX: Final = 1024
UNQUOTED: Final = "/!$&'()*+;=:@"

PORT: Final = re.compile(r"[0-9]{1,5}")
LAST_PORT: Final = 65535
DEFAULT_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}

SECURE: Final = {"http": "https", "https": "https", "ws": "wss", "wss": "wss"}
PLAIN: Final = {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}
SCHEMES: Final = {"https": SECURE, "wss": SECURE, "http": PLAIN, "ws": PLAIN}


def read_scheme(word: str, scheme: str) -> str:
    """The scheme of a request whose client came over another one; a WebSocket keeps its own two.

    Args:
        word: what a proxy says, such as `https`, for WebSockets too.
        scheme: as the server gave it, which stays where the word is none.
    """
    schemes = SCHEMES.get(word.lower())
    return scheme if schemes is None else schemes.get(scheme, scheme)


def read_host(text: str) -> tuple[str, int | None] | None:
    """Name and port of a host such as `shop.example:8443` or `[2001:db8::1]`.

    Args:
        text: the value of a Host header, or what stands for one.

    Returns:
        The name, an IPv6 address with its brackets, and the port if there is one; None if it is no host.
    """
    match = HOST.fullmatch(text) if len(text) <= LONGEST_HOST else None
    if match is None:
        return None
    if match[2] is not None:
        try:
            IPv6Address(match[2])
        except ValueError:
            return None
    if match[3] is None:
        return match[1], None
    port = read_port(match[3])
    return None if port is None else (match[1], port)


def read_port(text: str) -> int | None:
    """A port from 1 to 65535; None if it is none."""
    port = int(text) if PORT.fullmatch(text) else 0
    return port if 0 < port <= LAST_PORT else None


def read_prefix(text: str) -> str | None:
    """A path such as `/shop`, without a slash at its end; None if it is none.

    Args:
        text: what a proxy has taken off the front of the path.
    """
    prefix = text.removesuffix("/")
    return prefix if len(prefix) <= LONGEST_PREFIX and PREFIX.fullmatch(prefix) else None


def authority_of(
    host: tuple[str, int | None], port: int | None, scheme: str
) -> tuple[str, tuple[str, int | None]]:
    """The value of the Host header, without a scheme's own port, and the `server` of the scope.

    Args:
        host: of `read_host`; its own port wins.
        port: the one that is told beside it.
        scheme: of the request.

    Returns:
        Both; the server's address has no brackets, as servers give it.
    """
    name, own = host
    usual = DEFAULT_PORTS.get(scheme)
    port = own or port or usual
    return name if port == usual else f"{name}:{port}", (name.strip("[]"), port)
