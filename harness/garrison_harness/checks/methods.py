"""Methods beyond GET: refused truthfully, and HEAD like GET."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_CANARY_HEADER = "X-Garrison-Canary"
_UNKNOWN = "GARRISON"
# Many servers refuse the unknown one by themselves, and hand this one on, since WebDAV has it.
_UNUSUAL = "PROPFIND"
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
    return {
        "page": site.get(site.path),
        "unknown": site.request(_UNKNOWN, site.path, plain=False),
        "unusual": site.request(_UNUSUAL, site.path, plain=False),
    }


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
    unusual = seen.answer("unusual").status or 0
    if unusual >= 500 and unusual not in {501, status}:
        message = f"a method that few apps take, {_UNUSUAL}, is answered with {unusual}"
        yield seen.finding("unusual", message, severity=Severity.MEDIUM)


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
        garrison="on by default: GARRISON_REQUEST_LIMITS never lets TRACE, TRACK or CONNECT pass",
        why="TRACE sends a request back as it arrived. A script that can send one reads what browsers keep "
        "from scripts, such as cookies marked HttpOnly and the headers that proxies add.",
        how="TRACE is sent with a header that holds a word of our own. A finding is an answer of success "
        "that holds the word. That TRACE is answered in another way counts for nothing, and an app that "
        "shows everybody's headers on its page is not judged.",
        ask=_ask_trace,
        judge=_judge_trace,
    ),
    Check(
        id="M2",
        title="Unknown methods are refused",
        severity=Severity.LOW,
        cwe=749,
        reference="RFC 9110 section 9.1; ASVS 5.0 V4.1.4",
        fix="answer 405 or 501 to methods that the route does not take",
        garrison="name the app's methods in GARRISON_REQUEST_LIMITS_METHODS, such as GET,HEAD,POST",
        why="Rules that name methods, in a firewall or in the app, do not hold for a method that they do "
        "not know. A handler that takes any method does for GARRISON what it does for GET, or fails.",
        how="A method that nobody has ever served is sent to the page. A finding is the page itself, or a "
        "5xx other than 501. Another answer of success counts as likely only. PROPFIND is sent too, which "
        "servers hand on that refuse the other: it may be taken, and may not end in such a 5xx.",
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
        why="A client learns from Allow what it may do instead. An Allow that is missing or wrong sends "
        "programs and people in circles, and hides methods from whoever reviews them.",
        how="PROPFIND is sent to the page. Where that is a 405, Allow has to be there, has to leave "
        "PROPFIND out, and has to name GET if the page answers GET.",
        ask=_ask_refused,
        judge=_judge_allow,
    ),
    Check(
        id="M4",
        title="HEAD is answered like GET, without content",
        severity=Severity.LOW,
        needs=(Need.SOCKET,),
        cwe=0,
        reference="RFC 9110 section 9.3.2",
        fix="let every GET route answer HEAD with the same status and headers",
        why="Monitors, caches and download tools ask with HEAD to learn what GET would give. A HEAD that "
        "fails looks like an outage, and content after it is read as the next reply on the connection.",
        how="The page is asked twice with GET and once with HEAD. A finding is another status, content "
        "after HEAD, or another Content-Type, Content-Length, Content-Encoding or nosniff, unless the two "
        "GETs differ in it as well. HEAD may leave the length out, and may give it where GET streams.",
        ask=_ask_head,
        judge=_judge_head,
    ),
)
