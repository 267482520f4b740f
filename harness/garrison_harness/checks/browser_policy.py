"""Headers by which a reply tells a browser what it must not do with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

# A name that no loopback app has as its own, from the block kept for examples (RFC 6761 section 6.5).
_PUBLIC_HOST = "site.example"
_YEAR = 31_536_000  # seconds; the preload list and ASVS 5.0 V3.4.1 ask for as much
_REFERRER_POLICIES = frozenset(
    {
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    }
)
_REFERRER_META = re.compile(rb"<meta\s[^>]*\bname\s*=\s*[\"']?referrer\b[^>]*>", re.IGNORECASE)
_META_CONTENT = re.compile(rb"\bcontent\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_HEADERS_ON = "on by default; check that GARRISON_SECURITY_HEADERS is not off"
# Proxies that name themselves in Server. They do so on what they pass on as well, so that it does not
# prove who made a reply.
_PROXY = re.compile(
    r"(akamaighost|awselb|caddy|cloudflare|cloudfront|envoy|google frontend|istio-envoy|nginx|openresty"
    r"|varnish)\b",
    re.IGNORECASE,
)


def ask_page(site: Site) -> Mapping[str, Request]:
    """The page, and nothing else."""
    return {"page": site.get(site.path)}


def _ask_every_kind(site: Site) -> Mapping[str, Request]:
    # PROPFIND is safe and known to every parser, and hardly any route takes it: a harmless way to a 405.
    asked = {
        "page": site.get(site.path),
        "missing": site.get(site.missing_path),
        "refused": site.request("PROPFIND", site.path),
    }
    if site.error_path is not None:
        asked["error"] = site.get(site.error_path)
    return asked


def _proxys_own(reply: Reply) -> list[str]:
    """What to think of where a proxy may have made the reply: the app's settings do not reach that."""
    named = _PROXY.match(reply.get("server"))
    if named is None:
        return []
    return [
        f"Server names {named[1]}: if the reply is its own and not the app's, let it add the header itself"
    ]


def _judge_nosniff(seen: Seen) -> Iterator[Finding]:
    plain = seen.plain()
    if not plain:
        raise Unjudged("no ordinary request got a whole reply")
    bare: dict[int, Exchange] = {}
    for exchange in plain:
        reply = exchange.reply
        # The Fetch standard reads the first of several values.
        first = reply.get("x-content-type-options").partition(",")[0].strip().lower()
        if reply.status and reply.body and first != "nosniff":
            bare.setdefault(reply.status, exchange)
    if bare:
        first_bare, *others = (bare[status] for status in sorted(bare))
        statuses = ", ".join(str(status) for status in sorted(bare))
        message = f"browsers may guess the type of {statuses} replies: no X-Content-Type-Options: nosniff"
        lines = [*(exchange.summary for exchange in others), *_proxys_own(first_bare.reply)]
        yield seen.finding(first_bare, message, lines=lines)


def _judge_framing(seen: Seen) -> Iterator[Finding]:
    page = seen.page("page")
    policies = [
        sources
        for policy in page.get("content-security-policy").split(",")
        for directive in policy.split(";")
        for name, _, sources in [directive.strip().partition(" ")]
        if name.lower() == "frame-ancestors"
    ]
    shown = ("content-security-policy", "x-frame-options")
    if policies:
        # A bare scheme is every site that speaks it (CSP Level 3).
        if all({"*", "http:", "https:"} & set(sources.lower().split()) for sources in policies):
            message = "its frame-ancestors let any site put the page in a frame"
            yield seen.finding("page", message, show=shown, lines=_proxys_own(page))
    elif not {value.strip().upper() for value in page.get("x-frame-options").split(",")} & {
        "DENY",
        "SAMEORIGIN",
    }:
        message = (
            "any site may put the page in a frame: no frame-ancestors, no X-Frame-Options that browsers obey"
        )
        yield seen.finding("page", message, show=shown, lines=_proxys_own(page))


def _ask_as_public_host(site: Site) -> Mapping[str, Request]:
    host = site.authority if site.has_public_name else _PUBLIC_HOST
    return {"page": site.get(site.path, [("Host", host)])}


def _judge_transport(seen: Seen) -> Iterator[Finding]:
    page = seen.reply("page")
    if page.status is None or page.failure or page.status >= 400:
        # Browsers ignore the header on an address and on localhost (RFC 6797 section 8.1.1).
        raise Unjudged(
            f"the app answers {page.outcome} for any name but its own, and HSTS is for public names"
        )
    # The first header counts (RFC 6797 section 8.1).
    header = next(iter(page.all("strict-transport-security")), "")
    age = re.search(r"max-age\s*=\s*\"?(\d{1,15})", header, re.IGNORECASE)
    if age is None:
        message = "a browser may come back over plain http: no Strict-Transport-Security"
        yield seen.finding("page", message, lines=_proxys_own(page))
    elif int(age[1]) < _YEAR:
        message = f"Strict-Transport-Security lasts {age[1]} s, which is less than a year"
        yield seen.finding("page", message, show=("strict-transport-security",), severity=Severity.LOW)


def _judge_referrer(seen: Seen) -> Iterator[Finding]:
    page = seen.page("page")
    values = [value.strip().lower() for value in page.get("referrer-policy").split(",")]
    # A meta element is read after the header (Referrer Policy, section 4.2).
    for meta in _REFERRER_META.findall(page.body):
        values += [content.decode().lower() for content in _META_CONTENT.findall(meta)]
    # Browsers take the last value that they know (Referrer Policy, section 8.1).
    known = [value for value in values if value in _REFERRER_POLICIES]
    if not known:
        message = "the page sets no Referrer-Policy that browsers know"
        yield seen.finding("page", message, show=("referrer-policy",), lines=_proxys_own(page))
    elif known[-1] in {"unsafe-url", "no-referrer-when-downgrade"}:
        message = f"Referrer-Policy {known[-1]} sends whole addresses to other sites"
        yield seen.finding("page", message, show=("referrer-policy",))


def _ask_page_and_missing(site: Site) -> Mapping[str, Request]:
    return {"page": site.get(site.path), "missing": site.get(site.missing_path)}


def _judge_content_type(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    for label in ("page", "missing"):
        reply = seen.reply(label)
        if not reply.body or reply.failure:
            continue
        if not reply.media_type:
            yield seen.finding(label, "content without a Content-Type", severity=Severity.MEDIUM)
        # XHTML is XML, which is UTF-8 where nothing else is said (XML 1.0 section 4.3.3).
        elif reply.media_type == "text/html" and not _names_charset(reply):
            message = "a page that names no character encoding"
            yield seen.finding(label, message, show=("content-type",))


def _names_charset(reply: Reply) -> bool:
    # HTML, "determining the character encoding": the first 1024 bytes, a byte order mark first.
    start = reply.body[:1024].lower()
    return (
        "charset=" in reply.get("content-type").lower()
        or b"charset=" in start
        or start.startswith(b"\xef\xbb\xbf")
    )


CHECKS = (
    Check(
        id="H1",
        title="Every reply forbids content sniffing",
        severity=Severity.MEDIUM,
        layers=("SECURITY_HEADERS", "ERRORS"),
        cwe=693,
        reference="ASVS 5.0 V3.4.4; ZAP 10021",
        fix="send X-Content-Type-Options: nosniff on every reply, errors included",
        garrison=_HEADERS_ON,
        ask=_ask_every_kind,
        judge=_judge_nosniff,
    ),
    Check(
        id="H2",
        title="Pages cannot be framed by other sites",
        severity=Severity.MEDIUM,
        layers=("SECURITY_HEADERS",),
        cwe=1021,
        reference="ASVS 5.0 V3.4.6; ZAP 10020",
        fix="send Content-Security-Policy: frame-ancestors 'self' (or 'none') on pages",
        garrison=_HEADERS_ON,
        ask=ask_page,
        judge=_judge_framing,
    ),
    Check(
        id="H4",
        title="Https replies keep browsers on https",
        severity=Severity.MEDIUM,
        layers=("SECURITY_HEADERS",),
        needs=(Need.HTTPS,),
        cwe=319,
        reference="RFC 6797; ASVS 5.0 V3.4.1; ZAP 10035",
        fix="send Strict-Transport-Security: max-age=31536000 on https",
        garrison=_HEADERS_ON,
        ask=_ask_as_public_host,
        judge=_judge_transport,
    ),
    Check(
        id="H5",
        title="Pages keep their addresses from other sites",
        severity=Severity.LOW,
        layers=("SECURITY_HEADERS",),
        cwe=200,
        reference="ASVS 5.0 V3.4.5",
        fix="send Referrer-Policy: strict-origin-when-cross-origin, or stricter, on pages",
        garrison=_HEADERS_ON,
        ask=ask_page,
        judge=_judge_referrer,
    ),
    Check(
        id="H8",
        title="Content names its type, and pages their encoding",
        severity=Severity.LOW,
        cwe=436,
        reference="RFC 9110 section 8.3; ASVS 5.0 V4.1.1; ZAP 10019",
        fix="send Content-Type on every reply with content, with charset=utf-8 for HTML",
        ask=_ask_page_and_missing,
        judge=_judge_content_type,
    ),
)
