"""Requests that two servers in a row could read differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Layer
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_LINGER = 2.0  # seconds in which a server that keeps the connection open answers the next request
_LIMITS_ON = (
    "garrison run refuses them, and under another server GARRISON_REQUEST_LIMITS, on by default, refuses "
    "what that one lets through"
)


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
        "a blank before a colon": _raw(
            site, host, "Content-Length : 5", body=b"a" * 5 + following, linger=_LINGER
        ),
        "a line that ends in LF alone": _raw(site, f"{host}\nX-Garrison: a", "Connection: close"),
    }


def _judge_framing(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    label = "Content-Length and Transfer-Encoding"
    reply = seen.answer(label)
    # RFC 9112 section 6.1 lets Transfer-Encoding win, but then the connection must be closed.
    if not _is_refused(reply) and (following := _following(reply)):
        message = f"after a request with {label} the server reads on, and answers what comes next"
        # The request itself was read as the RFC wants it; only the closing is missing.
        yield seen.finding(label, message, excerpt=f"then: {following}", severity=Severity.MEDIUM)
    # RFC 9112 section 6.3, rule 5: unrecoverable; and section 5.1: others read no header there.
    for label in ("two Content-Lengths", "a blank before a colon"):
        reply = seen.answer(label)
        if not _is_refused(reply):
            following = _following(reply)
            message = f"a request with {label} is answered with {reply.status}"
            # A server that closes behind it reads no other request into what is left over.
            yield seen.finding(
                label,
                message if following else f"{message}, and the connection is closed",
                excerpt=f"then: {following}" if following else "",
                severity=None if following else Severity.LOW,
            )
    label = "a line that ends in LF alone"
    reply = seen.answer(label)
    # RFC 9112 section 2.2 allows it, and some proxies do not see the line.
    if reply.status is not None and reply.status < 400:
        message = f"a request with {label} is answered with {reply.status}, which the RFC allows"
        yield seen.finding(label, message, confidence=Confidence.INFO)


def _is_refused(reply: Reply) -> bool:
    """Whether the server let it go no further; a failure behind a connection that goes on is no refusal."""
    status = reply.status or 400
    return 400 <= status < 500 or (status >= 500 and not _following(reply))


def _following(reply: Reply) -> str:
    """The status line of what the server says next on the connection; empty where it says nothing more."""
    rest = reply.rest if reply.rest.startswith(b"HTTP/1.") else b""
    return rest.partition(b"\r\n")[0].decode("latin-1")


CHECKS = (
    Check(
        id="W1",
        title="A request names one host",
        severity=Severity.MEDIUM,
        fixed_by=Layer.SERVER,
        layers=("SERVER",),
        needs=(Need.SOCKET,),
        cwe=444,
        reference="RFC 9112 section 3.2",
        fix="use a server, or a proxy before it, that answers 400 to no Host and to two",
        garrison=_LIMITS_ON,
        why="Caches and virtual hosts choose by Host. Where a proxy reads one of two and the app the "
        "other, a "
        "page made for one name is stored under another, or a guard looks at the wrong site.",
        how="The page is asked without a Host, and with two. A finding is an answer that is no 4xx and no "
        "closed connection. No Host is a low one.",
        ask=_ask_hosts,
        judge=_judge_hosts,
    ),
    Check(
        id="W2",
        title="A request has one length",
        severity=Severity.HIGH,
        fixed_by=Layer.SERVER,
        layers=("SERVER",),
        needs=(Need.SOCKET,),
        cwe=444,
        reference="RFC 9112 sections 5.1, 6.1 and 6.3; ASVS 5.0 V4.2.1",
        fix="use a server, or a proxy before it, that refuses such requests or closes after them",
        garrison=_LIMITS_ON,
        why="Where a proxy and the server disagree where a request ends, the rest of one client's request "
        "becomes the beginning of another's (request smuggling): it carries that client's cookies, or gets "
        "past what the proxy guards.",
        how="Requests with both Content-Length and Transfer-Encoding, with two Content-Lengths and with a "
        "blank before the colon are sent, each with another request behind it. Findings are an answer to the "
        "second request behind the first of them, and an answer below 400 to the others, or a failure after "
        "which the second request is answered. It counts as low where the connection is closed behind it: "
        "then nothing is left to be read as a request. A line that ends in LF alone is mentioned if it is "
        "taken, since the RFC allows it.",
        ask=_ask_framing,
        judge=_judge_framing,
    ),
)
