"""Inline scripts and styles of a page, as a browser's parser finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

# HTML section 4.12.1: what a script element of these types holds is run or read by the browser, and CSP
# asks for its hash; any other type is a block of data. An empty type is a classic script.
TYPES: Final = frozenset(
    {
        "",
        "application/ecmascript",
        "application/javascript",
        "importmap",
        "module",
        "speculationrules",
        "text/ecmascript",
        "text/javascript",
    }
)


# A template may begin with something else; in a script the second would be text in quotes.
_TAG = re.compile(r"^\s*<(?:script|style)\b|</(?:script|style)>\s*$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """One inline script or style.

    Attributes:
        tag: `script` or `style`.
        line: of its start tag, from 1.
        text: all between its tags.
    """

    tag: str
    line: int
    text: str

    @property
    def is_template(self) -> bool:
        """Whether a template engine will write something else here, whose hash nobody knows yet."""
        return "{{" in self.text or "{%" in self.text


def is_html(text: str) -> bool:
    """Whether a text is a page or a template of one, and not itself a script or a style.

    Args:
        text: a whole file.
    """
    return text.lstrip().startswith("<") or _TAG.search(text) is not None


def inline_parts(html: str) -> tuple[Inline, ...]:
    """The inline scripts and styles of a page or a template, in their order.

    Args:
        html: the page.
    """
    # Where a browser's parser begins; the line numbers stay.
    reader = _Reader(html.replace("\r\n", "\n").replace("\r", "\n"))
    return tuple(reader.found)


class _Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Inline] = []
        self._open: tuple[str, int] | None = None
        self._parts: list[str] = []
        self.feed(html)
        self.close()

    def parse_marked_section(self, i: int, report: int = 1) -> int:  # noqa: ARG002 - the parser's own
        """Read `<![…` as HTML has it, a comment up to `>`; of a word that it does not know Python raises."""
        return self.parse_bogus_comment(i)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        is_script = tag == "script" and "src" not in given and given.get("type", "").strip().lower() in TYPES
        if is_script or tag == "style":
            self._open = (tag, self.getpos()[0])
            self._parts = []

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._open is not None and self._open[0] == tag:
            name, line = self._open
            self.found.append(Inline(tag=name, line=line, text="".join(self._parts)))
            self._open = None
