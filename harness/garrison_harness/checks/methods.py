"""Methods beyond GET: refused truthfully, and HEAD like GET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_CANARY_HEADER = "X-Garrison-Canary"
_UNKNOWN = "GARRISON"
_LINGER = 0.3  # seconds; a body that does not belong to a HEAD reply comes with it
# What RFC 9110 section 8 calls representation data: it must not depend on GET or HEAD.
_SAME_FOR_HEAD = ("content-type", "content-length", "content-encoding", "x-content-type-options")


def _ask_trace(site: Site) -> Mapping[str, Request]:
    canary = [(_CANARY_HEADER, site.canary)]
    return {
        "page": site.get(site.path, canary),
        "trace": site.request("TRACE", site.path, canary, plain=False),
    }


def _judge_trace(seen: Seen) -> Iterator[Finding]:
    canary = seen.site.canary
    if canary in seen.reply("page").text:
        raise Unjudged("the page shows the headers of every request, so TRACE cannot be told from GET")
    reply = seen.reply("trace")
    if reply.status is not None and reply.status < 300 and canary in reply.text:
        yield seen.finding(
            "trace", "TRACE sends the request's headers back", excerpt=f"{_CANARY_HEADER}: {canary}"
        )


def _ask_unknown(site: Site) -> Mapping[str, Request]:
    return {"page": site.get(site.path), "unknown": site.request(_UNKNOWN, site.path, plain=False)}


def _judge_unknown(seen: Seen) -> Iterator[Finding]:
    page, reply = seen.control("page"), seen.answer("unknown")
    status = reply.status or 0
    # 501 is what RFC 9110 section 9.1 asks for.
    if status >= 500 and status != 501:
        message = f"an unknown method is answered with {status}"
        yield seen.finding("unknown", message, severity=Severity.MEDIUM)
    elif 200 <= status < 300 and page.body and reply.body == page.body:
        yield seen.finding("unknown", f"the method {_UNKNOWN} is served as if it were GET")
    elif 200 <= status < 300:
        message = f"the method {_UNKNOWN} is answered with {status}"
        yield seen.finding("unknown", message, confidence=Confidence.LIKELY)


def _ask_refused(site: Site) -> Mapping[str, Request]:
    return {"page": site.get(site.path), "refused": site.request("PROPFIND", site.path)}


def _judge_allow(seen: Seen) -> Iterator[Finding]:
    page, reply = seen.control("page"), seen.reply("refused")
    if reply.status != 405:
        raise Unjudged(
            f"PROPFIND {seen.site.path} answered {reply.outcome}, and only a 405 names what is allowed"
        )
    allowed = {method.strip().upper() for method in reply.get("allow").split(",")}
    if not reply.all("allow"):
        yield seen.finding("refused", "a 405 does not say which methods are allowed: no Allow header")
    elif "PROPFIND" in allowed:
        yield seen.finding("refused", "Allow names the method that was refused", show=("allow",))
    elif (page.status or 0) < 300 and "GET" not in allowed:
        yield seen.finding("refused", "Allow leaves out GET, which the page answers", show=("allow",))


def _ask_head(site: Site) -> Mapping[str, Request]:
    return {
        "page": site.get(site.path),
        "page again": site.get(site.path),
        "head": site.request("HEAD", site.path, linger=_LINGER),
    }


def _judge_head(seen: Seen) -> Iterator[Finding]:
    page, again, head = seen.control("page"), seen.control("page again"), seen.answer("head")
    if head.rest:
        message = f"{len(head.rest)} bytes of content follow a reply to HEAD"
        yield seen.finding("head", message, severity=Severity.MEDIUM)
    if head.status != page.status:
        yield seen.finding("head", f"HEAD is answered with {head.outcome}, and GET with {page.status}")
        return
    for name in _SAME_FOR_HEAD:
        # What two GETs do not agree on is free to change.
        steady = page.get(name) == again.get(name)
        if steady and head.get(name) != page.get(name) and not _is_free_length(name, page, head):
            message = (
                f"HEAD and GET differ in {name}: {head.get(name) or 'none'} and {page.get(name) or 'none'}"
            )
            yield seen.finding("head", message, show=(name,))


def _is_free_length(name: str, page: Reply, head: Reply) -> bool:
    """A length that HEAD leaves out, or gives where GET streams its content (RFC 9110 section 9.3.2)."""
    return name == "content-length" and (
        not head.get(name) or (not page.get(name) and head.get(name) == str(len(page.body)))
    )


CHECKS = (
    Check(
        id="M1",
        title="TRACE does not send headers back",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=693,
        reference="ASVS 5.0 V13.4.4; ZAP 90028",
        fix="refuse TRACE in the server, the proxy or the app",
        garrison="on by default; check that GARRISON_REQUEST_LIMITS is not off",
        ask=_ask_trace,
        judge=_judge_trace,
    ),
    Check(
        id="M2",
        title="Unknown methods are refused",
        severity=Severity.LOW,
        layers=("REQUEST_LIMITS",),
        cwe=749,
        reference="RFC 9110 section 9.1; ASVS 5.0 V4.1.4",
        fix="answer 405 or 501 to methods that the route does not take",
        garrison="name the app's methods in GARRISON_REQUEST_LIMITS_METHODS, such as GET,HEAD,POST",
        ask=_ask_unknown,
        judge=_judge_unknown,
    ),
    Check(
        id="M3",
        title="A 405 says truthfully what is allowed",
        severity=Severity.LOW,
        cwe=0,
        reference="RFC 9110 section 15.5.6",
        fix="send Allow with the methods of the route on every 405",
        ask=_ask_refused,
        judge=_judge_allow,
    ),
    Check(
        id="M4",
        title="HEAD is answered like GET, without content",
        severity=Severity.LOW,
        cwe=0,
        reference="RFC 9110 section 9.3.2",
        fix="let every GET route answer HEAD with the same status and headers",
        ask=_ask_head,
        judge=_judge_head,
    ),
)
