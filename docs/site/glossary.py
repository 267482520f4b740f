"""Links every setting that a page names to the reference, and the reference to the guides that name it."""

from __future__ import annotations

import os.path
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from docs.site.navigation import title_of
from docs.site.sources import DOCS

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: Final = DOCS / "reference" / "settings.md"
ENTRY: Final = re.compile(r"^### (GARRISON_\w+)\n.*?(?=^#{2,3} |\Z)", re.MULTILINE | re.DOTALL)
NAME: Final = re.compile(r"\bGARRISON_[A-Z0-9_]+\b")
# A block of code, a comment, a heading and a link stay what they are; a name in code becomes a link.
MENTION: Final = re.compile(
    r"^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)`*$|<!--.*?-->|^\#[^\n]*$|\[[^\]]*\]\([^)]*\)"
    r"|(?<!`)`(?P<name>GARRISON_[A-Z0-9_]+)(?P<value>=[^`\n]*)?`",
    re.MULTILINE | re.DOTALL,
)
# How many guides an entry of the reference names: those that say most of it.
GUIDES: Final = 3
# It names much and says little of it.
LAST: Final = DOCS / "how-to" / "migrate.md"


def glossed(text: str, source: Path) -> str:
    """A page whose settings are links where they stand first, and the reference with the guides to each.

    Args:
        text: Markdown.
        source: the file that it is the text of.
    """
    if source == SETTINGS:
        return ENTRY.sub(_with_guides, text)
    known, seen = _settings(), set[str]()
    to = os.path.relpath(SETTINGS, source.parent)

    def link(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in known or name in seen:
            return found[0]
        seen.add(name)
        return f"[{found[0]}]({to}#{name.lower()})"

    return MENTION.sub(link, text)


@cache
def _settings() -> frozenset[str]:
    return frozenset(entry[1] for entry in ENTRY.finditer(SETTINGS.read_text(encoding="utf-8")))


@cache
def _names() -> dict[Path, Counter[str]]:
    """How often each guide names or links what."""
    guides = sorted(page for part in ("how-to", "explanation") for page in (DOCS / part).rglob("*.md"))
    return {guide: Counter(NAME.findall(guide.read_text(encoding="utf-8").upper())) for guide in guides}


def _with_guides(entry: re.Match[str]) -> str:
    using = {guide: names[entry[1]] for guide, names in _names().items() if entry[1] in names}
    best = sorted(using, key=lambda guide: (guide == LAST, -using[guide]))[:GUIDES]
    if not best:
        return entry[0]
    links = [f"[{title_of(guide)}]({os.path.relpath(guide, SETTINGS.parent)})" for guide in best]
    return f"{entry[0].rstrip()}\n\nUsed in {', '.join(links)}.\n\n"
