"""Headers by which a reply tells a browser what it must not do with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.content_policy import header_policies
from garrison_harness.checks.pages import (
    PAGES_READ,
    ask_pages,
    faults_of_pages,
    perhaps_of_a_proxy,
    readable_routes,
)
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

# A name that no loopback app has as its own, from the block kept for examples (RFC 6761 section 6.5).
_PUBLIC_HOST: Final = "site.example"
_YEAR: Final = 31_536_000  # seconds; the preload list and ASVS 5.0 V3.4.1 ask for as much
_MOST_ROUTES: Final = 12
_REFERRER_POLICIES: Final = frozenset(
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
_META: Final = re.compile(rb"<meta\s[^<>]*>", re.IGNORECASE)
_NAMES_REFERRER: Final = re.compile(rb"\bname\s*=\s*[\"']?referrer\b", re.IGNORECASE)
_META_CONTENT: Final = re.compile(rb"\bcontent\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)


def _ask_every_kind(site: Site) -> Mapping[str, Request]:
    # PROPFIND is safe and known to every parser, and hardly any route takes it: a harmless way to a 405.
    asked = {
        "page": site.get(site.path),
        "missing": site.get(site.missing_path),
        "refused": site.request("PROPFIND", site.path),
    }
    if site.error_path is not None:
        asked["error"] = site.get(site.error_path)
    for route in readable_routes(site, _MOST_ROUTES):
        asked[f"route {route.target}"] = site.get(route.target)
    return asked


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
        lines = [*(exchange.summary for exchange in others), *perhaps_of_a_proxy(first_bare.reply)]
        # Where the page itself fails, the replies may be the server's own.
        failing = (seen.reply("page").status or 0) >= 500
        confidence = Confidence.LIKELY if failing else Confidence.CONFIRMED
        yield seen.finding(first_bare, message, lines=lines, confidence=confidence)


def _framing(reply: Reply) -> Iterator[str]:
    listed = [policy["frame-ancestors"] for policy in header_policies(reply) if "frame-ancestors" in policy]
    if listed:
        # A bare scheme is every site that speaks it (CSP Level 3).
        if all({"*", "http:", "https:"} & {source.lower() for source in found} for found in listed):
            yield "its frame-ancestors let any site put the page in a frame"
    elif not {value.strip().upper() for value in reply.get("x-frame-options").split(",")} & {
        "DENY",
        "SAMEORIGIN",
    }:
        yield (
            "any site may put the page in a frame: no frame-ancestors, no X-Frame-Options that browsers obey"
        )


def _judge_framing(seen: Seen) -> Iterator[Finding]:
    yield from faults_of_pages(seen, _framing, show=("content-security-policy", "x-frame-options"))


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
        yield seen.finding("page", message, lines=perhaps_of_a_proxy(page))
    elif int(age[1]) < _YEAR:
        message = f"Strict-Transport-Security lasts {age[1]} s, which is less than a year"
        yield seen.finding("page", message, show=("strict-transport-security",), severity=Severity.LOW)


def _referrer(reply: Reply) -> Iterator[str]:
    values = [value.strip().lower() for value in reply.get("referrer-policy").split(",")]
    # A meta element is read after the header (Referrer Policy, section 4.2).
    for meta in filter(_NAMES_REFERRER.search, _META.findall(reply.body)):
        values += [content.decode().lower() for content in _META_CONTENT.findall(meta)]
    # Browsers take the last value that they know (Referrer Policy, section 8.1).
    known = [value for value in values if value in _REFERRER_POLICIES]
    if not known:
        yield "the page sets no Referrer-Policy that browsers know"
    elif known[-1] in {"unsafe-url", "no-referrer-when-downgrade"}:
        yield f"Referrer-Policy {known[-1]} sends whole addresses to other sites"


def _judge_referrer(seen: Seen) -> Iterator[Finding]:
    yield from faults_of_pages(seen, _referrer, show=("referrer-policy",))


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


CHECKS: Final = (
    Check(
        id="H1",
        title="Every reply forbids content sniffing",
        severity=Severity.MEDIUM,
        layers=("SECURITY_HEADERS", "ERRORS"),
        cwe=693,
        reference="ASVS 5.0 V3.4.4; ZAP 10021",
        fix="send X-Content-Type-Options: nosniff on every reply, errors included",
        garrison="on by default; check that neither GARRISON_SECURITY_HEADERS nor GARRISON_ERRORS is off",
        why=(
            "A browser that is left to guess may take an uploaded picture, a text or an error message for a"
            " page or a script, and run what somebody has hidden in it."
        ),
        how=(
            "Every ordinary reply of the audit is looked at: the page, a missing page, a refused method, a"
            " failure where one is known, and routes of the app. One with content and without"
            " X-Content-Type-Options: nosniff counts, as a likely one where the page itself is a 5xx."
        ),
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
        garrison="on by default; check that GARRISON_SECURITY_HEADERS is not off",
        why=(
            "A site that shows the page in an invisible frame can let visitors click, in the belief that they"
            " click something else, on whatever they are allowed to do in the app (clickjacking)."
        ),
        how=(
            f"{PAGES_READ} A page counts where neither frame-ancestors, of which the strictest policy holds,"
            " nor an X-Frame-Options that browsers still obey keeps other sites out."
        ),
        ask=ask_pages,
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
        garrison=(
            "on by default over https, with GARRISON_SECURITY_HEADERS_HSTS as the age; behind a proxy"
            " GARRISON_PROXY_TRUSTED has to name it, or the app takes its requests for plain http"
        ),
        why=(
            "The first request of a visit often goes over plain http, where anybody on the same network can"
            " answer it instead of the app. A browser that was told once to stay on https never sends it."
        ),
        how=(
            "The page is read over https by a public name, since browsers ignore the header for addresses and"
            " localhost. Missing or without an age counts, and in a small way an age of less than a year."
        ),
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
        garrison=(
            "on by default; check that GARRISON_SECURITY_HEADERS and"
            " GARRISON_SECURITY_HEADERS_PAGE_REFERRER are not off"
        ),
        why=(
            "An address often holds what others must not see: a search, a customer's number, a link to reset"
            " a password. Browsers tell it to the next site in the Referer header unless a page forbids it."
        ),
        how=(
            f"{PAGES_READ} The last value that browsers know counts, of the header and of meta elements;"
            " none at all, unsafe-url and no-referrer-when-downgrade are faults."
        ),
        ask=ask_pages,
        judge=_judge_referrer,
    ),
    Check(
        id="H8",
        title="Content names its type, and pages their encoding",
        severity=Severity.LOW,
        cwe=436,
        reference="RFC 9110 section 8.3; ASVS 5.0 V4.1.1; ZAP 10019",
        fix="send Content-Type on every reply with content, with charset=utf-8 for HTML",
        why=(
            "Without a type a browser guesses, and without an encoding it guesses that: bytes that are"
            " harmless in one encoding are markup in another."
        ),
        how=(
            "The page and a missing page are read. Content without Content-Type is a fault; so is HTML that"
            " names its encoding neither there, nor in a meta element or byte order mark at its beginning."
        ),
        ask=_ask_page_and_missing,
        judge=_judge_content_type,
    ),
)
