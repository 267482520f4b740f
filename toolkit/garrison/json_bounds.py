"""How deep a JSON text is nested, counted in one pass before any parser sees it."""

from __future__ import annotations

import re
from typing import Final

# Strings may hold brackets. The quantifiers are possessive, so that no text is scanned twice, and the
# closing quote is optional, so that a string without an end takes the rest in one go.
STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
NOT_A_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
OPENING: Final = frozenset(b"[{")


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether a JSON text is nested deeper than `depth` levels.

    Args:
        text: a JSON text, or what claims to be one; the answer for broken JSON is that of its brackets.
        depth: levels of arrays and objects.
    """
    if text.count(b"[") + text.count(b"{") <= depth:
        return False
    level = 0
    for byte in STRING.sub(b"", text).translate(None, NOT_A_BRACKET):
        if byte in OPENING:
            level += 1
            if level > depth:
                return True
        else:
            level -= 1
    return False
