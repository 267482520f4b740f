"""What a built site must keep: every link and anchor leads somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

HERE: Final = "http://site.invalid"
# What a browser fetches by itself; `link` depends on its relation.
LOADS: Final = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "use": "href",
}
FETCHED: Final = frozenset({"stylesheet", "icon", "preload", "preconnect", "dns-prefetch", "manifest"})
IN_STYLES: Final = re.compile(r"url\(\s*[\"']?((?:https?:)?//[^)\"']+)|@import\s+[\"']([^\"']+)")


@dataclass(slots=True)
class _Page(HTMLParser):
    """What stands in one page.

    Attributes:
        ids: that a link may name.
        links: what a reader may follow.
        loaded: what the browser fetches by itself.
        styled: elements with a style of their own, which the policy of the site refuses.
    """

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    styled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        self.styled += [tag] if "style" in given or tag == "style" else []
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and FETCHED & set(given.get("rel", "").split()):
            self.loaded.append(given["href"])
        elif LOADS.get(tag) in given:
            self.loaded.append(given[LOADS[tag]])


def faults_of(site: Path) -> list[str]:
    """What is wrong with a site, a line each.

    Args:
        site: the folder that is served.
    """
    pages = {path: _read(path) for path in sorted(site.rglob("*.html")) if path.is_file()}
    faults = []
    for path, page in pages.items():
        inside = path.relative_to(site).as_posix()
        base = f"{HERE}/{inside}"
        faults += [
            f"{inside}: the link {link} leads nowhere"
            for link in page.links
            if not _leads_somewhere(urljoin(base, link), site, pages)
        ]
        faults += [
            f"{inside}: {link} is loaded from another host, or is not there"
            for link in page.loaded
            if not _is_here(urljoin(base, link), site)
        ]
        faults += [f"{inside}: a style of its own on {tag} is refused by the policy" for tag in page.styled]
    for path in sorted(site.rglob("*.css")):
        found = IN_STYLES.findall(path.read_text(encoding="utf-8"))
        faults += [f"{path.relative_to(site)}: {''.join(each)} is loaded from another host" for each in found]
    return faults


def _is_here(url: str, site: Path) -> bool:
    if url.startswith("data:"):
        return True
    parts = urlsplit(url)
    return url.startswith(f"{HERE}/") and (site / unquote(parts.path).lstrip("/")).is_file()


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return page


def _leads_somewhere(url: str, site: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}" != HERE:
        return parts.scheme in {"http", "https", "mailto"}
    path = site / unquote(parts.path).lstrip("/")
    page = path / "index.html" if path.is_dir() else path
    if not page.is_file():
        return False
    return not parts.fragment or page.suffix != ".html" or unquote(parts.fragment) in pages[page].ids
