"""What a reply gives away about its server, and whether it contradicts itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.pages import readable_routes
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_BANNERS = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")
# `uvicorn`, `nginx/1.25.3`, `PHP/8.2`: a product; a lone dash or an empty value is none.
_PRODUCT = re.compile(r"[A-Za-z]{2}")
_ONE_VALUE = (
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
)
_MOST_ROUTES = 4
_LINGER = 0.3  # seconds; content beyond the announced length comes with it


def _ask_pages(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path), "missing": site.get(site.missing_path)}
    for route in readable_routes(site, _MOST_ROUTES):
        asked[f"route {route.target}"] = site.get(route.target)
    return asked


def _judge_banners(seen: Seen) -> Iterator[Finding]:
    plain = seen.plain()
    if not plain:
        raise Unjudged("no ordinary request got a whole reply")
    reported: set[tuple[str, str]] = set()
    for exchange in plain:
        for name in _BANNERS:
            for value in exchange.reply.all(name):
                if _PRODUCT.search(value) and (name, value) not in reported:
                    reported.add((name, value))
                    yield seen.finding(exchange, f"{name} names the software: {value}", show=(name,))


def _judge_contradictions(seen: Seen) -> Iterator[Finding]:
    plain = seen.plain()
    if not plain:
        raise Unjudged("no ordinary request got a whole reply")
    reported: set[str] = set()
    for exchange in plain:
        for name in _ONE_VALUE:
            values = exchange.reply.all(name)
            if name in reported or len(values) < 2:
                continue
            reported.add(name)
            differ = len({value.lower() for value in values}) > 1
            yield seen.finding(
                exchange,
                f"{name} is sent {len(values)} times" + (" with different values" if differ else ""),
                show=(name,),
                severity=None if differ else Severity.LOW,
                # Twice the same is untidy, and every browser reads it right.
                confidence=Confidence.CONFIRMED if differ else Confidence.INFO,
            )


def _ask_whole_reply(site: Site) -> Mapping[str, Request]:
    return {
        "page": site.request("GET", site.path, linger=_LINGER),
        "missing": site.request("GET", site.missing_path, linger=_LINGER),
    }


def _judge_length(seen: Seen) -> Iterator[Finding]:
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        announced = reply.get("content-length")
        if reply.status is None:
            raise Unjudged(f"{exchange.request.summary} got {reply.outcome}")
        if reply.failure == "truncated":
            message = "the connection ends before the reply does" + (
                f", which announced {announced} bytes" if announced else ""
            )
            yield seen.finding(label, message, show=("content-length", "transfer-encoding"))
        elif reply.rest and announced:
            message = f"{len(reply.rest)} bytes follow a reply that announced {announced}"
            yield seen.finding(label, message, show=("content-length",))


CHECKS = (
    Check(
        id="H9",
        title="Replies do not name the software behind them",
        severity=Severity.LOW,
        layers=("SECURITY_HEADERS",),
        cwe=497,
        reference="ASVS 5.0 V13.4.6; ZAP 10036, 10037",
        fix="switch the Server and X-Powered-By headers off in the server and the framework",
        garrison=(
            "garrison run sends no banner, and GARRISON_SECURITY_HEADERS_REMOVE names the headers that are"
            " taken off the app's replies; other servers add theirs behind it, as uvicorn does without"
            " --no-server-header"
        ),
        why=(
            "A version tells an attacker which published holes to try, and a product which default paths and"
            " passwords. It mends no hole to hide it, but it takes the app off the lists that scanners make."
        ),
        how=(
            "Every ordinary reply of the audit is looked at. A Server, X-Powered-By or similar header with a"
            " word in it counts; an empty value or a dash does not."
        ),
        ask=_ask_pages,
        judge=_judge_banners,
    ),
    Check(
        id="H10",
        title="Security headers do not contradict one another",
        severity=Severity.MEDIUM,
        layers=("SECURITY_HEADERS",),
        cwe=693,
        reference="RFC 9110 section 5.3",
        fix="set each header in one place only: in the app, in one middleware, or in the proxy",
        garrison=(
            "on by default: GARRISON_SECURITY_HEADERS leaves one value of each; what a proxy adds to that,"
            " the proxy has to leave out"
        ),
        why=(
            "Where a header that browsers want once comes twice with different values, some take the first,"
            " some the last, and some drop both. The stricter one is then a matter of luck."
        ),
        how=(
            "Every ordinary reply of the audit is looked at. A header that has one value by its definition"
            " and comes with two that differ is a fault; twice the same is only mentioned."
        ),
        ask=_ask_pages,
        judge=_judge_contradictions,
    ),
    Check(
        id="H12",
        title="Replies are as long as they announce",
        severity=Severity.MEDIUM,
        needs=(Need.SOCKET,),
        cwe=444,
        reference="RFC 9112 section 6.3; ASVS 5.0 V4.2.2",
        fix="let the framework compute Content-Length, or set it to the number of bytes sent",
        why=(
            "The length tells where a reply ends and the next one begins. If it is wrong, clients wait, show"
            " half a page, or take the rest for the answer to somebody else's request, which a proxy in"
            " between may then keep for others."
        ),
        how=(
            "The page and a missing page are read, and the connection is listened to a little longer. Content"
            " that is shorter than Content-Length, or breaks off in the middle, is a fault, and so are bytes"
            " that follow."
        ),
        ask=_ask_whole_reply,
        judge=_judge_length,
    ),
)
