"""What the head of an HTTP/1.x request may be like, whichever parser has read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison.server.protocol.flaws import (
    CODING,
    FIELD,
    FOLDED,
    FRAMINGS,
    HOST,
    HOSTS,
    LENGTHS,
    LINE_END,
    METHOD,
    NO_HOST,
    OLD_CODING,
    TARGET,
    UPGRADE_BODY,
    VERSION,
)

if TYPE_CHECKING:
    from garrison.asgi import Headers
    from garrison.server.protocol.flaws import Flaw

# What a Host may be made of (RFC 3986 section 3.2.2), without the comma of a list, and with the underscore
# that names inside of clusters have.
HOST_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%:[]!$&'()*+;="

# What no line of a head has: control characters, and line ends that are not CR LF (RFC 9112 section 2.2);
# and a line that goes on with the one before (section 5.2). A head that is not whole may end with CR.
_FLAW_IN_LINES: Final = re.compile(rb"\n[ \t]|(?<!\r)\n|\r(?!\n|\Z)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_CONTROLS: Final = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})

_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]*)([^#]*)", re.DOTALL)


def flaw_in_lines(head: bytes) -> Flaw | None:
    """What is wrong with the bytes of a head, or of the part of it that has come.

    Args:
        head: from its request line on.
    """
    ends = head.count(b"\r\n")
    sound = ends == head.count(b"\n") == head.count(b"\r") - head.endswith(b"\r")
    if sound and b"\n " not in head and b"\n\t" not in head and head.translate(None, _CONTROLS) == head:
        return None
    found = _FLAW_IN_LINES.search(head)
    if found is None:
        return None
    match found[0][:1], found[0][1:]:
        case b"\n", b"":
            return LINE_END
        case b"\n", _:
            return FOLDED
        case b"\r", _:
            return LINE_END
    return FIELD


def flaw_in_framing(lines: Headers, version: str) -> Flaw | None:
    """Why two readers could disagree about where the body ends (RFC 9112 section 6).

    Args:
        lines: the header lines, with their names in lower case.
        version: such as `1.1`.
    """
    lengths = codings = 0
    for name, value in lines:
        if name == b"content-length":
            lengths += 1 + value.count(b",")
        elif name == b"transfer-encoding":
            codings += 1
            if value.lower() != b"chunked":
                return CODING
    if codings > 1:
        return CODING
    if codings and lengths:
        return FRAMINGS
    if codings and version == "1.0":
        return OLD_CODING
    return LENGTHS if lengths > 1 else None


def flaw_in_host(hosts: list[bytes], version: str) -> Flaw | None:
    """What is wrong with the Host headers (RFC 9112 section 3.2).

    Args:
        hosts: the value of each.
        version: such as `1.1`.
    """
    if len(hosts) != 1:
        if hosts:
            return HOSTS
        return NO_HOST if version == "1.1" else None
    return HOST if hosts[0].translate(None, HOST_BYTES) else None


def flaw_in_version(version: str) -> Flaw | None:
    """Why a request cannot be answered in its version of HTTP.

    Args:
        version: such as `1.1`.
    """
    return None if version in {"1.1", "1.0"} else VERSION


def flaw_in_handshake(lines: Headers) -> Flaw | None:
    """Whether a WebSocket handshake has a body, whose bytes would be taken for frames or for a request.

    Args:
        lines: the header lines, with their names in lower case.
    """
    framed = any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0"))
        for name, value in lines
    )
    return UPGRADE_BODY if framed else None


def origin_form(method: str, target: bytes) -> tuple[bytes, bytes | None] | Flaw:
    """A target as apps know it, and the host that it names, which counts more than the Host header.

    RFC 9112 section 3.2.2 has servers take targets with scheme and host, as clients of proxies send them.

    Args:
        method: of the request.
        target: of the request line.

    Returns:
        The target in origin form and the host, or None where it names none; or what is wrong with it.
    """
    if method == "CONNECT":
        return METHOD
    if target.startswith(b"/") or (target == b"*" and method == "OPTIONS"):
        return target, None
    found = _ABSOLUTE.fullmatch(target.partition(b"#")[0])
    if found is None or not found[1] or found[1].translate(None, HOST_BYTES):
        return TARGET
    return (found[2] if found[2].startswith(b"/") else b"/" + found[2]), found[1]


def with_host(lines: Headers, host: bytes) -> Headers:
    """The header lines with another host.

    Args:
        lines: with their names in lower case.
        host: in place of the one that they have.
    """
    return [(name, host if name == b"host" else value) for name, value in lines]
