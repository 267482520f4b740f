"""The navigation: what docs/README.md links, section by section, in its order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from docs.site.sources import DOCS, PROJECT, ROOT, target_of

if TYPE_CHECKING:
    from pathlib import Path

# As Zensical takes it: a title, and the path of a page or what is below it.
Entry: TypeAlias = "dict[str, str | list[Entry]]"

FRONT: Final = DOCS / "README.md"
HEADING: Final = re.compile(r"^(##|###) (.+)$")
ITEM: Final = re.compile(r"^- .*?\]\(([^)#]+\.md)\)")


def navigation() -> list[Entry]:
    """The front page, the sections of docs/README.md with their pages, and the project's own pages."""
    top: list[Entry] = [{"Start": "index.md"}]
    section: list[Entry] = []
    group: list[Entry] = []
    for line in FRONT.read_text(encoding="utf-8").splitlines():
        heading, item = HEADING.match(line), ITEM.match(line)
        if heading and heading[1] == "##":
            section = group = []
            top.append({heading[2]: section})
        elif heading:
            group = []
            section.append({heading[2]: group})
        elif item:
            page = FRONT.parent / item[1]
            if page.is_file():
                group.append({title_of(page): target_of(page).as_posix()})
    top.append({"Project": [{title_of(ROOT / name): target} for name, target in PROJECT.items()]})
    return top


def targets(entries: list[Entry]) -> list[str]:
    """The pages of a navigation, in its order.

    Args:
        entries: all, or those of one section.
    """
    found = []
    for entry in entries:
        for below in entry.values():
            found += [below] if isinstance(below, str) else targets(below)
    return found


def title_of(page: Path) -> str:
    """The first heading of a page, without marks.

    Args:
        page: a file of the repository.
    """
    text = page.read_text(encoding="utf-8")
    if page.name == "README.md" and page.parent == ROOT:
        return "Readme"
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].replace("`", "") if found else "Licence"
