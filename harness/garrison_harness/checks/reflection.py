"""What a caller writes must not become where a browser goes, or what it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from garrison_harness.checks.check import Check, in_time
from garrison_harness.checks.inputs import (
    briefly,
    query_names,
    read_routes,
    require_success,
    with_path,
    with_query,
)
from garrison_harness.finding import Confidence, Severity
from garrison_harness.page_reader import PageReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Exchange, Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST_ROUTES: Final = 20
_MOST_FINDINGS: Final = 5
_LEADING_ON: Final = (
    *("next", "url", "redirect", "redirect_to", "redirect_uri", "redirect_url", "return", "return_to"),
    *("return_url", "returnUrl", "ReturnUrl", "continue", "dest", "destination", "goto", "target", "to"),
    *("back", "callback", "out"),
)
_LEADING_PATHS: Final = ("/login", "/signin", "/auth/login", "/accounts/login/", "/redirect", "/out")
# Each is a way to write an address on another host; browsers read a backslash as a slash.
_WRITTEN: Final = {
    "an address": "https%3A%2F%2F{host}%2F",
    "an address without its scheme": "%2F%2F{host}%2F",
    "an address with a backslash": "%2F%5C{host}%2F",
}
# A router that adds or takes a slash sends `//host/` as it came, which browsers read as another host.
_PATHS: Final = {
    "a path of two slashes": "//{host}",
    "a path of two slashes and dots": "//{host}/%2e%2e",
    "a path with a backslash": "/%5C{host}/",
}
_SHOWN: Final = ("q", "query", "search", "name", "message", "error", "lang", "title", "id", "text")


def _host(site: Site) -> str:
    return f"{site.canary}.example"


def _drive_redirects(stage: Stage) -> None:
    site, host = stage.site, _host(stage.site)
    for name, path in _PATHS.items():
        stage.ask(name, site.request("GET", path.format(host=host), plain=False))
    routes = [
        (route.target, query_names(route, site, _LEADING_ON)) for route in read_routes(site, _MOST_ROUTES)
    ]
    known = {target.partition("?")[0] for target, _ in routes}
    routes += [(path, list(_LEADING_ON)) for path in _LEADING_PATHS if path not in known]
    for target, names in in_time(stage, routes):
        for written, value in _WRITTEN.items() if names else ():
            request = site.request("GET", with_query(target, names, value.format(host=host)), plain=False)
            reply = stage.ask(f"{written} at {target}", briefly(request))
            # Where it neither leads anywhere nor minds the value, it will not mind another spelling.
            if reply.status not in {201, 400, 422} and not 300 <= (reply.status or 0) < 400:
                break


def _judge_redirects(seen: Seen) -> Iterator[Finding]:
    found: set[str] = set()
    for label, exchange in seen.exchanges.items():
        place = label.partition(" at ")[2] or label
        name = _leading_header(exchange.reply, _host(seen.site))
        if name and place not in found and len(found) < _MOST_FINDINGS:
            found.add(place)
            yield seen.finding(label, f"{name} leads to whatever host the link names", show=(name,))
    require_success(seen)


def _leading_header(reply: Reply, host: str) -> str:
    """The header that sends a browser to that host; empty where none does."""
    location = reply.get("location")
    if location and (reply.status == 201 or 300 <= (reply.status or 0) < 400) and _leads_to(location, host):
        return "Location"
    _, _, refreshed = reply.get("refresh").partition("=")
    return "Refresh" if refreshed and _leads_to(refreshed, host) else ""


def _leads_to(address: str, host: str) -> bool:
    # As browsers read it: https://url.spec.whatwg.org/#url-parsing
    plain = address.strip().strip("'\"").replace("\t", "").replace("\\", "/")
    try:
        return urlsplit(plain).hostname == host
    except ValueError:
        return False


def _markup(site: Site) -> str:
    """Ends an attribute in either quotes, and begins an element that no app has."""
    mark = site.canary
    return f"\" {mark}-x=\"' {mark}-x='><{mark}></{mark}>"


def _ask_markup(site: Site) -> Mapping[str, Request]:
    markup = quote(_markup(site), safe="")
    asked = {
        "page": site.get(site.path),
        "missing": site.request("GET", f"{site.missing_path}/{markup}", plain=False),
    }
    for route in read_routes(site, _MOST_ROUTES):
        names = query_names(route, site, _SHOWN)
        if names:
            target = with_query(route.target, names, markup)
            asked[f"query of {route.template}"] = site.request("GET", target, plain=False)
        if (filled := with_path(route, markup)) is not None:
            asked[f"path of {route.template}"] = site.request("GET", filled, plain=False)
    return {label: briefly(request) for label, request in asked.items()}


def _judge_markup(seen: Seen) -> Iterator[Finding]:
    mark, found = seen.site.canary, 0
    for label, exchange in seen.exchanges.items():
        if not _is_page(exchange.reply) or mark not in exchange.reply.text or found >= _MOST_FINDINGS:
            continue
        elements = _Elements(mark)
        elements.read(exchange.reply.text)
        if elements.made or f"<{mark}>" in exchange.reply.text:
            found += 1
            what = elements.made or "markup in a place where browsers may not read it"
            yield seen.finding(
                label,
                f"what the {_place(label)} holds becomes {what} of the page",
                show=("content-type",),
                excerpt=_around(exchange, mark),
                confidence=Confidence.CONFIRMED if elements.made else Confidence.LIKELY,
            )
    require_success(seen)


def _is_page(reply: Reply) -> bool:
    # Without a type and without nosniff browsers look for markup themselves.
    sniffed = not reply.media_type and "nosniff" not in reply.get("x-content-type-options").lower()
    return reply.is_html or sniffed or reply.media_type == "image/svg+xml"


def _place(label: str) -> str:
    return "path of the request" if label in {"page", "missing"} else label


def _around(exchange: Exchange, mark: str) -> str:
    before, found, after = exchange.reply.text.partition(mark)
    return f"...{before[-30:]}{found}{after[:90]}..."


class _Elements(PageReader):
    """Reads a page as browsers do, and notices an element or an attribute of ours.

    Attributes:
        made: What became of our words; empty where they stayed text.
    """

    def __init__(self, mark: str) -> None:
        """Look for elements and attributes whose names begin with that word."""
        super().__init__()
        self.made = ""
        self._mark = mark

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Compare the names."""
        if tag == self._mark:
            self.made = "an element"
        elif not self.made and any(name == f"{self._mark}-x" for name, _ in attrs):
            self.made = "an attribute"


CHECKS = (
    Check(
        id="I4",
        title="Links to the app lead to no foreign host",
        severity=Severity.MEDIUM,
        cwe=601,
        reference="ASVS 5.0 V3.7.2; ZAP 20019",
        fix="redirect to paths of your own only: take a target for one if it begins with one slash and no "
        "backslash follows, or look it up in a list",
        why="Somebody sends out a link that begins with your address and ends on a page of theirs, which "
        "looks like your login. Whoever looked at the address bar before clicking trusts it, and mail "
        "filters and single sign-on do too.",
        how="Routes are asked with a made-up host in parameters such as next and url (in those they "
        "declare, where a document says so), as an address, without its scheme, and with a backslash; and "
        "with paths that begin with two slashes. A finding is a Location or Refresh header that a browser "
        "follows to that host. That the host stands in a query of the Location counts for nothing.",
        drive=_drive_redirects,
        judge=_judge_redirects,
        sampled=True,
    ),
    Check(
        id="I5",
        title="Markup in input stays text",
        severity=Severity.HIGH,
        cwe=79,
        reference="ASVS 5.0 V1.2.1; ZAP 40012",
        fix="let the template engine escape what it inserts (autoescape), and insert nothing raw",
        garrison="GARRISON_SECURITY_HEADERS_PRESET=strict keeps such scripts from running, as a second line",
        why="Somebody sends out a link with a script in it. Your page runs it in the browser of whoever "
        "follows the link, who may be logged in: it can read and do there what that person can.",
        how="The query and the path of each route hold quotes and an element with a name that occurs "
        "nowhere by itself. A finding is a page in which an HTML parser meets that element, or an attribute "
        "of that name. Escaped text counts for nothing, nor does JSON or plain text.",
        ask=_ask_markup,
        judge=_judge_markup,
        sampled=True,
    ),
)
