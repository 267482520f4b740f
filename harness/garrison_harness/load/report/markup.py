"""The elements that the HTML page is made of."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence


def text(words: str) -> str:
    """Text in an element or in an attribute; words of a command may hold bytes that are no text."""
    return escape(words.encode("utf-8", "backslashreplace").decode())


def source(words: str) -> str:
    """What allows this text, and no other, in a Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()}'"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Container[int] = (),
    caption: str = "",
) -> str:
    """A table that scrolls by itself where it is too wide.

    Args:
        heads: What each column is.
        rows: Cells as markup, as many as there are heads.
        numbers: Which columns hold numbers.
        caption: What the table is, for who cannot see where it stands.
    """
    kinds = [' class="number"' if index in numbers else "" for index in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{text(one)}</th>' for one, kind in zip(heads, kinds, strict=True))
    body = "\n".join(
        f"<tr>{''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(row, kinds, strict=True))}</tr>"
        for row in rows
    )
    title = f"<caption>{text(caption)}</caption>" if caption else ""
    return (
        f'<div class="wide" tabindex="0"><table>{title}<thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def word(verdict: str) -> str:
    """A verdict in the colour that it has everywhere."""
    return f'<span class="verdict {text(verdict.lower().replace(" ", "-"))}">{text(verdict)}</span>'
