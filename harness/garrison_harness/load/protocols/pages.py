"""What a page refers to: pages that may be visited next, and what a browser fetches to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from garrison_harness.page_reader import PageReader

MOST_LINKS: Final = 50
MOST_ASSETS: Final = 30

# A link to one of these may end the visit, or change something although it is a GET.
_LEAVE_ALONE: Final = ("logout", "log-out", "signout", "sign-out", "delete", "remove", "unsubscribe")
_FETCHED: Final = frozenset({"stylesheet", "icon", "preload", "modulepreload"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page refers to on its own site, each path once.

    Attributes:
        links: Paths of pages.
        assets: Paths of style sheets, scripts, images and icons.
    """

    links: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()


class _Reader(PageReader):
    """Collects addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.links: list[str] = []
        self.assets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to."""
        given = dict(attrs)
        if tag == "base" and not self.base:
            self.base = given.get("href") or ""
        elif tag == "a":
            self.links.append(given.get("href") or "")
        elif tag in {"img", "script"}:
            self.assets.append(given.get("src") or "")
        elif tag == "link" and _FETCHED & set((given.get("rel") or "").lower().split()):
            self.assets.append(given.get("href") or "")


def read_page(text: str, url: str) -> Page:
    """Read a page; addresses of other sites are left out, and links that may change something.

    Args:
        text: HTML.
        url: Where it was found.
    """
    reader = _Reader()
    reader.read(text)
    base = url
    if reader.base and path_on_site(reader.base, url) is not None:
        base = urljoin(url, reader.base)
    links = dict.fromkeys(path for link in reader.links if (path := path_on_site(link, base)))
    assets = dict.fromkeys(path for asset in reader.assets if (path := path_on_site(asset, base)))
    polite = [path for path in links if not any(word in path.lower() for word in _LEAVE_ALONE)]
    return Page(links=tuple(polite)[:MOST_LINKS], assets=tuple(assets)[:MOST_ASSETS])


def path_on_site(address: str, url: str) -> str | None:
    """The path and query that an address leads to; None for nowhere, and for another site.

    Args:
        address: Absolute, or relative to the URL.
        url: Where it stands.
    """
    address = address.strip()
    if not address or address.startswith("#"):
        return None
    here = urlsplit(url)
    try:
        there = urlsplit(urljoin(url, address))
    except ValueError:
        return None
    if (there.scheme, there.netloc) != (here.scheme, here.netloc):
        return None
    path = (there.path or "/") + (f"?{there.query}" if there.query else "")
    plain = path.isascii() and path.isprintable() and not path.startswith("//") and " " not in path
    return path if plain else None
