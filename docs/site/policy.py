"""The settings that a built site is served with: its policy allows what is inline in it, by hash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison import csp_hash
from garrison.csp.inline import inline_parts

if TYPE_CHECKING:
    from pathlib import Path

# The theme looks for words in a worker, and has pictures in its style sheets.
TEXT: Final = """\
# Written by `make docs`, for `garrison run docs.examples.site.app:app --env-file`. The hashes are those of
# what is inline in the pages, and of the style that the script of the search adds.
GARRISON_CSP_REPORTS_PATH=/csp-reports
GARRISON_SECURITY_HEADERS_PRESET=web
GARRISON_SECURITY_HEADERS_PAGE_POLICY="web; script-src 'self' {scripts}; style-src 'self' {styles}"
"""
# Where the theme's script puts a style into the page, by the name of a text, and that text.
ADDED: Final = re.compile(r'"style",\{\},(\w+)\.toString\(\)')


def settings_for(site: Path) -> str:
    """What goes into an env file.

    Args:
        site: the folder that is served.
    """
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html") if path.is_file()]
    scripts = {csp_hash(part.text) for page in pages for part in inline_parts(page)}
    styles = {
        csp_hash(text)
        for path in site.rglob("*.js")
        if path.is_file()
        for text in _styles(path.read_text(encoding="utf-8"))
    }
    return TEXT.format(scripts=" ".join(sorted(scripts)), styles=" ".join(sorted(styles)))


def _styles(script: str) -> list[str]:
    return [
        text for added in ADDED.finditer(script) for text in re.findall(rf"\b{added[1]}='([^'\\]+)'", script)
    ]
