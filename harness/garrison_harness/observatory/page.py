"""What Observatory reads of a page: policies in `meta` elements, and its scripts."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from garrison_harness.page_reader import PageReader

# From best to worst, as Observatory orders what it finds; the modifiers do not follow that order.
SRI = ("own", "unsafe with SRI", "no SRI", "unsafe")
MODIFIERS = {"own": 5, "unsafe with SRI": -20, "no SRI": -5, "unsafe": -50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A script element: where it comes from, empty for an inline one, and whether it is pinned."""

    src: str
    pinned: bool


@dataclass(slots=True)
class Page:
    """What was found in a page."""

    policies: list[str] = field(default_factory=list)
    referrer: str = ""
    scripts: list[Script] = field(default_factory=list)


class _Reader(PageReader):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what counts."""
        found = {name: value or "" for name, value in attrs}
        if tag == "script":
            script = Script(src=found.get("src", "").strip(), pinned=bool(found.get("integrity")))
            self.page.scripts.append(script)
        elif tag == "meta" and {"http-equiv", "content"} <= found.keys():
            if found["http-equiv"].strip().lower() == "content-security-policy" and found["content"]:
                self.page.policies.append(found["content"])
        elif tag == "meta" and found.get("name", "").strip().lower() == "referrer":
            self.page.referrer = found.get("content", "") or self.page.referrer


def read_page(body: bytes) -> Page:
    """Read a page; what is no HTML is a page without anything in it."""
    reader = _Reader()
    reader.read(body.decode("utf-8", "replace"))
    return reader.page


def integrity_modifier(page: Page, host: str, *, https: bool) -> int:
    """The points of the test `subresource-integrity`."""
    if not page.scripts:
        return 0
    worst = ""
    foreign = False
    for script in page.scripts:
        found = _judged(script, host, https=https) if script.src else ""
        foreign = foreign or found not in {"", "own"}
        if found in SRI and (not worst or (found != "own" and SRI.index(found) > SRI.index(worst))):
            worst = found
    if worst:
        return MODIFIERS[worst]
    return 5 if foreign else 0


def _judged(script: Script, host: str, *, https: bool) -> str:
    """One of `SRI`, `good` for a pinned script of another site, or nothing for one of the own site."""
    relative_protocol = script.src.startswith("//") and not script.src.startswith("///")
    address = _address(script.src) if script.src.lower().startswith(("http://", "https://")) else None
    own = not relative_protocol and (address is None or _site(address.hostname or "") == _site(host))
    secure = address.scheme == "https" if address else https and not relative_protocol
    if own:
        return "own" if script.pinned and secure else ""
    if secure:
        return "good" if script.pinned else "no SRI"
    return "unsafe with SRI" if script.pinned else "unsafe"


def _address(text: str) -> SplitResult | None:
    """What an address is made of; None where browsers load nothing from it either."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


def _site(host: str) -> str:
    """The registrable domain, taken to be two labels: no list of public suffixes is at hand."""
    return ".".join(host.lower().rsplit(".", 2)[-2:])
