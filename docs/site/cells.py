"""Makes a built site fit a phone: names break where readers expect it, and text in tables keeps its width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

CELL: Final = re.compile(r"<(t[dh])>(.*?)</\1>", re.DOTALL)
# Code among words, not a block of its own.
INLINE: Final = re.compile(r"(?<!<pre>)(?<!<pre><span></span>)<code>([^<]+)</code>")
WORD: Final = re.compile(r"\S+")
TAG: Final = re.compile(r"<[^>]*>")
# A heading that is a name.
HEADING: Final = re.compile(r"(?<=>)[A-Z0-9_]+(?=<a class=\"headerlink\")")
# Behind these marks a name may go on in the next line.
JOINT: Final = re.compile(r"(?<=[^_]_|.[=(])(?=[^_=()])")
# Browsers break words of code behind a hyphen or a slash; shorter ones than this stay whole.
SHORT: Final = 20
# About what a phone shows in a line.
LINE: Final = 38
# A cell of more characters than this is text, which a style keeps from becoming a column of single words.
SENTENCE: Final = 30


def fit(site: Path) -> None:
    """Rewrite all pages, which the search has read by then.

    Args:
        site: the folder that is served.
    """
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        text = HEADING.sub(lambda name: JOINT.sub("<wbr>", name[0]), text)
        path.write_text(_with_joints(CELL.sub(_cell, text), LINE), encoding="utf-8")


def _cell(found: re.Match[str]) -> str:
    tag, inside = found[1], found[2]
    kind = ' class="text"' if len(TAG.sub("", inside)) > SENTENCE else ""
    return f"<{tag}{kind}>{_with_joints(inside, SHORT)}</{tag}>"


def _with_joints(text: str, longest: int) -> str:
    """Let names that are longer than this break, and keep short ones whole."""

    def word(found: re.Match[str]) -> str:
        name = found[0]
        if len(name) > longest:
            return JOINT.sub("<wbr>", name)
        if len(name) <= SHORT and ("-" in name or "/" in name):
            return f'<span class="whole">{name}</span>'
        return name

    return INLINE.sub(lambda code: f"<code>{WORD.sub(word, code[1])}</code>", text)
