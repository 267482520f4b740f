"""Follows the links of pages, a few of them and to the same site only."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from garrison_harness.page_reader import PageReader
from garrison_harness.route import Route

if TYPE_CHECKING:
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST: Final = 20  # pages; an audit is no crawler
_LINKS: Final = {
    "a": "href",
    "link": "href",
    "script": "src",
    "img": "src",
    "iframe": "src",
    "form": "action",
}


class _Links(PageReader):
    """Collects what a page refers to.

    Attributes:
        found: Method and address, in the order of the page.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of an element that has one."""
        given = dict(attrs)
        address = given.get(_LINKS.get(tag, ""))
        if address is None and tag == "form":
            address = ""  # it goes to the page that it stands on
        if address is not None:
            method = (given.get("method") or "get").upper() if tag == "form" else "GET"
            self.found.append((method, address))


def crawl(stage: Stage) -> tuple[Route, ...]:
    """What can be reached from the page by links that are followed with GET.

    Forms are noted and not sent: an audit must not buy anything.

    Args:
        stage: Where to ask.
    """
    site = stage.site
    waiting, routes = deque([site.path]), {("GET", site.path): _route("GET", site.path)}
    asked = 0
    while waiting and asked < _MOST:
        path = waiting.popleft()
        asked += 1
        reply = stage.ask(f"page {asked}", site.get(path))
        if reply.status != 200 or not reply.is_html:
            continue
        parser = _Links()
        parser.read(reply.text)
        for method, address in parser.found:
            target = _target(address, path, site)
            if target is not None and (method, target) not in routes and len(routes) < 5 * _MOST:
                routes[method, target] = _route(method, target)
                if method == "GET":
                    waiting.append(target)
    return tuple(routes.values())


def _route(method: str, target: str) -> Route:
    return Route(method=method, template=target.partition("?")[0], target=target, source="crawl")


def _target(address: str, path: str, site: Site) -> str | None:
    """The path and query that an address leads to, if that is on the same site."""
    scheme = "https" if site.https else "http"
    try:
        parts = urlsplit(urljoin(f"{scheme}://{site.authority}{path}", address.strip()))
    except ValueError:
        return None
    if parts.scheme != scheme or parts.netloc != site.authority or "logout" in parts.path.lower():
        return None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return target if target.isascii() and target.isprintable() and " " not in target else None
