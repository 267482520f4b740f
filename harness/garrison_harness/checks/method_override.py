"""Whether a header turns a request into one of another method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_HEADERS: Final = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
# Nobody serves it, so that nothing happens where an override works.
_UNKNOWN: Final = "GARRISON"
_NOT_ALLOWED: Final = frozenset({405, 501})


def _ask(site: Site) -> Mapping[str, Request]:
    unknown = [(name, _UNKNOWN) for name in _HEADERS]
    get = [(name, "GET") for name in _HEADERS]
    separator = "&" if "?" in site.path else "?"
    return {
        "page": site.get(site.path),
        "another header": site.get(site.path, [("X-Garrison-Method", _UNKNOWN)]),
        "overridden": site.request("GET", site.path, unknown, plain=False),
        "overridden in the query": site.request(
            "GET", f"{site.path}{separator}_method={_UNKNOWN}", plain=False
        ),
        "post": site.request("POST", site.path, body=b"", plain=False),
        "post for get": site.request("POST", site.path, get, body=b"", plain=False),
        "page again": site.get(site.path),
    }


def _judge(seen: Seen) -> Iterator[Finding]:
    page = seen.control("page")
    if (
        seen.control("another header").status != page.status
        or seen.control("page again").status != page.status
    ):
        raise Unjudged("the page does not answer alike twice, so an override cannot be told from chance")
    for label in ("overridden", "overridden in the query"):
        if (page.status or 0) < 400 and seen.answer(label).status in _NOT_ALLOWED:
            where = "a query parameter" if "query" in label else "a header"
            message = f"{where} turns a GET into another method: {_UNKNOWN} is answered as not allowed"
            yield seen.finding(label, message, show=("allow",))
    post, turned = seen.reply("post"), seen.answer("post for get")
    if post.status in {403, 404, 405, 501} and turned.status == page.status and (page.status or 0) < 300:
        message = f"a header turns a POST, which is answered with {post.status}, into a GET"
        yield seen.finding("post for get", message, severity=Severity.LOW)


CHECKS = (
    Check(
        id="I8",
        title="No header changes the method",
        severity=Severity.MEDIUM,
        cwe=650,
        reference="OWASP API8:2023",
        fix="take the middleware for method overrides out, or let it act on POST only, after authorisation "
        "and cross-site checks",
        why="Proxies, firewalls and rules by method see a harmless GET, and the app acts on a DELETE. A "
        "link or an image on a foreign page is then enough to make a visitor's browser delete something.",
        how="The page is asked with headers that ask for a method that nobody serves, which does no harm: a "
        "405 or 501 in place of the page, while another header of the same value changes nothing, is a "
        "finding. So is a POST that is refused as such, and shows the page where such a header asks for "
        "GET.",
        ask=_ask,
        judge=_judge,
    ),
)
