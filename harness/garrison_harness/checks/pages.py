"""Which replies of an app are pages, and one finding for all pages that have the same fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.route import Route
    from garrison_harness.site import Site

PAGES_READ: Final = (
    "The page, and a few routes that may be pages, are read; replies that are no HTML are not judged, and"
    " what only pages beside the first do wrong is a small fault."
)
"""How every check of pages begins, for people."""

_MOST_PAGES: Final = 4
# What may go on for ever, or end the login that the audit was given.
_LEFT_ALONE: Final = re.compile(
    r"event|feed|log-?out|poll|sign-?out|socket|sse\b|stream|subscri|tail|watch", re.IGNORECASE
)
# Proxies that name themselves in Server. They do so on what they pass on as well, so that it does not
# prove who made a reply.
_PROXY: Final = re.compile(
    r"(akamaighost|awselb|caddy|cloudflare|cloudfront|envoy|google frontend|istio-envoy|nginx|openresty"
    r"|varnish)\b",
    re.IGNORECASE,
)


def readable_routes(site: Site, most: int) -> list[Route]:
    """Routes beside the page that can be read in passing, those without parameters first.

    Args:
        site: What is known of the app.
        most: How many.
    """
    found: dict[str, Route] = {}
    for route in site.routes:
        if route.method == "GET" and route.target != site.path and not _LEFT_ALONE.search(route.template):
            found.setdefault(route.target, route)
    return sorted(found.values(), key=lambda route: route.template.count("{"))[:most]


def ask_pages(site: Site) -> Mapping[str, Request]:
    """The page, and a few routes that may be pages too."""
    asked = {"page": site.get(site.path)}
    likely = [route for route in readable_routes(site, 100) if _may_be_page(route)]
    for route in likely[:_MOST_PAGES]:
        asked[f"route {route.target}"] = site.get(route.target)
    return asked


def _may_be_page(route: Route) -> bool:
    """Whether the document leaves open that a route answers with HTML."""
    if route.operation is None:
        return True
    replies = route.operation.get("responses")
    types = [
        str(name)
        for reply in (replies.values() if isinstance(replies, Mapping) else ())
        if isinstance(reply, Mapping) and isinstance(content := reply.get("content"), Mapping)
        for name in content
    ]
    return not types or any("html" in name for name in types)


def is_page(reply: Reply) -> bool:
    """Whether a browser would show the reply as a page of the app."""
    return 200 <= (reply.status or 0) < 300 and not reply.failure and reply.is_html


def pages(seen: Seen) -> list[Exchange]:
    """The exchanges of a check that got a page.

    Raises:
        Unjudged: There is none.
    """
    found = [exchange for exchange in seen.exchanges.values() if is_page(exchange.reply)]
    if not found:
        seen.page("page")  # which says what there is instead
    return found


def faults_of_pages(
    seen: Seen, faults: Callable[[Reply], Iterable[str]], *, show: tuple[str, ...]
) -> Iterator[Finding]:
    """A finding for each fault, with the pages that have it; a small one where the page itself has not.

    Args:
        seen: What was recorded.
        faults: What is wrong with a page, one sentence each.
        show: Names of the headers that belong to the evidence.

    Raises:
        Unjudged: There is no page.
    """
    found: dict[str, list[Exchange]] = {}
    for exchange in pages(seen):
        for message in faults(exchange.reply):
            found.setdefault(message, []).append(exchange)
    for message, (first, *others) in found.items():
        lines = [*(other.summary for other in others), *perhaps_of_a_proxy(first.reply)]
        # What the page is for is known; what others are for, such as those that document an API, is not.
        severity = None if first.label == "page" else Severity.LOW
        yield seen.finding(first, message, show=show, lines=lines, severity=severity)


def perhaps_of_a_proxy(reply: Reply) -> list[str]:
    """What to think of where a proxy may have made the reply: the app's settings do not reach that."""
    named = _PROXY.match(reply.get("server"))
    if named is None:
        return []
    return [
        f"Server names {named[1]}: if the reply is its own and not the app's, let it add the header itself"
    ]
