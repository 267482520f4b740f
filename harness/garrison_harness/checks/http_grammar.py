"""Requests that two servers in a row could read differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Layer
from garrison_harness.exchange import Request
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_LINGER = 0.5  # seconds in which a server that keeps the connection open answers the next request
_LIMITS_ON = "on by default in garrison run and harden(); check that GARRISON_REQUEST_LIMITS is not off"


def _raw(site: Site, *lines: str, body: bytes = b"", linger: float = 0.0) -> Request:
    head = "\r\n".join((f"GET {site.path} HTTP/1.1", *lines, "", "")).encode("latin-1")
    return Request(method="GET", target=site.path, pieces=(head + body,), plain=False, linger=linger)


def _ask_hosts(site: Site) -> Mapping[str, Request]:
    host = f"Host: {site.authority}"
    return {
        "page": site.get(site.path),
        "no Host": _raw(site, "Connection: close"),
        "two Hosts": _raw(site, host, f"Host: {site.canary}.example", "Connection: close"),
    }


def _judge_hosts(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label in ("no Host", "two Hosts"):
        reply = seen.answer(label)
        if reply.status is not None and not 400 <= reply.status < 500:
            severity = Severity.LOW if label == "no Host" else None
            yield seen.finding(
                label, f"a request with {label} is answered with {reply.status}", severity=severity
            )


def _ask_framing(site: Site) -> Mapping[str, Request]:
    host = f"Host: {site.authority}"
    following = site.head("GET", site.missing_path)
    return {
        "page": site.get(site.path),
        "Content-Length and Transfer-Encoding": _raw(
            site,
            host,
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
            body=b"0\r\n\r\n" + following,
            linger=_LINGER,
        ),
        "two Content-Lengths": _raw(
            site, host, "Content-Length: 0", "Content-Length: 5", body=b"a" * 5 + following, linger=_LINGER
        ),
    }


def _judge_framing(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    label = "Content-Length and Transfer-Encoding"
    reply = seen.answer(label)
    # RFC 9112 section 6.1 lets Transfer-Encoding win, but then the connection must be closed.
    if reply.status is not None and reply.status < 400 and reply.rest.startswith(b"HTTP/1."):
        message = f"after a request with {label} the next one on the connection is answered too"
        excerpt = "then: " + reply.rest.partition(b"\r\n")[0].decode("latin-1")
        # The request itself was read as the RFC wants it; only the closing is missing.
        yield seen.finding(label, message, excerpt=excerpt, severity=Severity.MEDIUM)
    label = "two Content-Lengths"
    reply = seen.answer(label)
    # RFC 9112 section 6.3, rule 5: unrecoverable.
    if reply.status is not None and reply.status < 400:
        yield seen.finding(label, f"a request with {label} is answered with {reply.status}")


CHECKS = (
    Check(
        id="W1",
        title="A request names one host",
        severity=Severity.MEDIUM,
        fixed_by=Layer.SERVER,
        layers=("SERVER", "REQUEST_LIMITS"),
        cwe=444,
        reference="RFC 9112 section 3.2",
        fix="use a server, or a proxy before it, that answers 400 to no Host and to two",
        garrison=_LIMITS_ON,
        ask=_ask_hosts,
        judge=_judge_hosts,
    ),
    Check(
        id="W2",
        title="A request has one length",
        severity=Severity.HIGH,
        fixed_by=Layer.SERVER,
        layers=("SERVER", "REQUEST_LIMITS"),
        cwe=444,
        reference="RFC 9112 sections 6.1 and 6.3; ASVS 5.0 V4.2.1",
        fix="use a server, or a proxy before it, that refuses such requests or closes after them",
        garrison=_LIMITS_ON,
        ask=_ask_framing,
        judge=_judge_framing,
    ),
)
