"""Which versions of TLS are spoken, and who is sent from http to https."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Layer, Unjudged
from garrison_harness.exchange import Request
from garrison_harness.finding import Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_OLD_VERSIONS: Final = {"SSL 3.0": 0x0300, "TLS 1.0": 0x0301, "TLS 1.1": 0x0302}
# What servers of that time spoke: ECDHE, DHE and RSA with AES and 3DES, and that a renegotiation is secure.
_CIPHERS: Final = (0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x0035, 0x002F, 0x000A, 0x00FF)
_CURVES: Final = (29, 23, 24, 25)
_HANDSHAKE, _SERVER_HELLO = 22, 2


def _ask(site: Site) -> Mapping[str, Request]:
    if site.https:
        return {
            "page": site.get(site.path),
            **{
                name: Request(
                    method=name, target="handshake", pieces=(_hello(site, number),), plain=False, bare=True
                )
                for name, number in _OLD_VERSIONS.items()
            },
        }
    call = [("Content-Type", "application/json"), ("Accept", "application/json")]
    return {
        "page": site.get(site.path, [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]),
        "call": site.request("POST", site.body_path, call, body=b"{}"),
    }


def _hello(site: Site, version: int) -> bytes:
    """A ClientHello that offers this version at most (RFC 5246 section 7.4.1.2, RFC 4492 section 5.1)."""
    random = hashlib.sha256(site.canary.encode("ascii")).digest()
    ciphers = b"".join(struct.pack("!H", cipher) for cipher in _CIPHERS)
    curves = b"".join(struct.pack("!H", curve) for curve in _CURVES)
    extensions = _extension(10, struct.pack("!H", len(curves)) + curves) + _extension(11, b"\x01\x00")
    if site.has_public_name:
        name = site.host.encode("idna")
        entry = b"\x00" + struct.pack("!H", len(name)) + name
        extensions += _extension(0, struct.pack("!H", len(entry)) + entry)
    body = struct.pack("!H", version) + random + b"\x00"
    body += struct.pack("!H", len(ciphers)) + ciphers + b"\x01\x00"
    if version > 0x0300:
        body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return bytes([_HANDSHAKE]) + struct.pack("!HH", min(version, 0x0301), len(message)) + message


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!HH", number, len(content)) + content


def _judge(seen: Seen) -> Iterator[Finding]:
    if seen.site.https:
        yield from _judge_versions(seen)
    else:
        yield from _judge_redirects(seen)


def _judge_versions(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for name, number in _OLD_VERSIONS.items():
        if _chosen(seen.reply(name)) == number:
            message = f"a client that knows nothing better than {name} is served"
            yield seen.finding(name, message)


def _chosen(reply: Reply) -> int | None:
    """The version in a ServerHello, None where there is none."""
    raw = reply.raw
    if len(raw) < 11 or raw[0] != _HANDSHAKE or raw[5] != _SERVER_HELLO:
        return None
    return int.from_bytes(raw[9:11], "big")


def _judge_redirects(seen: Seen) -> Iterator[Finding]:
    page, call = seen.answer("page"), seen.answer("call")
    if not (_is_redirect(page) or _is_redirect(call)):
        raise Unjudged(Need.HTTPS.value)
    if _is_redirect(call):
        message = (
            "a program that calls over http is sent to https in silence, and goes on sending what it sends in"
            " the clear"
        )
        yield seen.finding("call", message, show=("location",), severity=Severity.LOW)


def _is_redirect(reply: Reply) -> bool:
    return 300 <= (reply.status or 0) < 400 and reply.get("location").lower().startswith("https://")


CHECKS: Final = (
    Check(
        id="S1",
        title="Connections are encrypted with TLS 1.2 or newer",
        severity=Severity.MEDIUM,
        fixed_by=Layer.SERVER,
        needs=(Need.SOCKET,),
        cwe=326,
        reference="RFC 8996; ASVS 5.0 V12.1.1, V4.1.2",
        fix=(
            "set the least version of the server or proxy to TLS 1.2, send pages from http to https, and"
            " refuse calls over http"
        ),
        garrison=(
            "garrison run speaks TLS 1.2 and newer with GARRISON_SERVER_TLS_CERTIFICATE;"
            " GARRISON_HOSTS_HTTPS=redirect, with GARRISON_HOSTS_ALLOWED, sends pages to https and refuses"
            " calls"
        ),
        why=(
            "TLS 1.0 and 1.1 have been broken in several ways, and somebody on the network can talk both"
            " ends into the worst that both know. A program that calls an API over http and is sent on to"
            " https has already sent its key in the clear, and nobody notices."
        ),
        how=(
            "Over https a first message offers SSL 3.0, TLS 1.0 and TLS 1.1 and nothing newer; a server that"
            " goes on with one of them is a fault. Over http a page and a call with JSON are asked: where"
            " they are sent to https, the page is right and the call is a small fault. An app over http that"
            " sends nobody to https is not judged."
        ),
        ask=_ask,
        judge=_judge,
    ),
)
