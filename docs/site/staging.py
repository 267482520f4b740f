"""Copies the pages to where Zensical reads them, with links that work among pages."""

from __future__ import annotations

import os.path
import re
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from docs.site.glossary import glossed
from docs.site.sources import DOCS, ROOT, NotThereError, listing, pages, parts_of, shown, target_of

if TYPE_CHECKING:
    from collections.abc import Callable

FENCED: Final = re.compile(r"^(`{3,})[^\n]*\n.*?^\1`*$", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)((?:#[^)\s]*)?)(?=\))")
# Forges begin a list below a line of text at once; Python-Markdown wants an empty line first.
LATE_LIST: Final = re.compile(r"^((?![-*] | )[^\n#|].*)\n(?=[-*] )", re.MULTILINE)
ASSETS: Final = DOCS / "site" / "assets"


def stage(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Write every page, and everything that one links, into an empty folder.

    Args:
        folder: where Zensical reads.

    Returns:
        the source of each page by its path in the folder, and what is wrong with links, a line each.
    """
    shutil.copytree(ASSETS, folder / "assets")
    waiting = list(pages())
    done: dict[str, Path] = {}
    faults: list[str] = []
    while waiting:
        source = waiting.pop()
        target = target_of(source)
        if target.as_posix() in done:
            continue
        done[target.as_posix()] = source
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix != ".md":
            shutil.copyfile(source, path)
            continue
        text, linked, broken = relinked(_text_of(source), source, target)
        path.write_text(text, encoding="utf-8")
        waiting += linked
        faults += broken
        if source.is_dir():
            waiting += parts_of(source)
    return done, faults


def relinked(text: str, source: Path, target: PurePosixPath) -> tuple[str, list[Path], list[str]]:
    """The text with its links to files turned into links to pages.

    Args:
        text: Markdown.
        source: the file or folder that it stands in.
        target: the page that this becomes.

    Returns:
        the text, what its links lead to, and what is wrong with them.
    """
    linked: list[Path] = []
    faults: list[str] = []
    folder = source if source.is_dir() else source.parent

    def page(found: re.Match[str]) -> str:
        leads_to = Path(os.path.normpath(folder / found[1]))
        try:
            to = target_of(leads_to)
        except NotThereError as error:
            faults.append(f"{source.relative_to(ROOT)} links {found[1]}: {error}")
            return found[0]
        linked.append(leads_to)
        return f"{os.path.relpath(to, target.parent)}{found[2]}"

    parts, end = [], 0
    for fence in FENCED.finditer(text):
        parts += [_prose(text[end : fence.start()], page), fence[0]]
        end = fence.end()
    return "".join([*parts, _prose(text[end:], page)]), linked, faults


def _text_of(source: Path) -> str:
    if source.is_dir():
        return listing(source)
    if source.suffix == ".md":
        return glossed(source.read_text(encoding="utf-8"), source)
    return shown(source)


def _prose(text: str, page: Callable[[re.Match[str]], str]) -> str:
    return LATE_LIST.sub(r"\1\n\n", LINK.sub(page, text))
