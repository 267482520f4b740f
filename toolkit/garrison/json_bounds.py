"""Bounds on JSON: its depth, counted in one pass before any parser sees it, and its strict grammar."""

from __future__ import annotations

import json
from itertools import accumulate
from operator import add
from typing import Any, Final

# What is left of a text of which the depth is wanted: quotes, and the digit 1 for an opening bracket of
# either kind, 0 for a closing one.
MARKS: Final = bytes.maketrans(b"[{]}", b"1100")
NO_MARK: Final = bytes(set(range(256)) - set(b'"[]{}'))
OPENING: Final = b"1"
CLOSING: Final = b"0"

# A text that is far too deep is found out in its first block.
BLOCK: Final = 32 * 1024

# What, behind a backslash, decides where a string ends; where nothing is, it comes with the next piece.
DECISIVE: Final = frozenset({b'"', b""})

# So many backslashes of a block are looked at one by one: where more do no harm, as in text of other scripts
# that is escaped, taking all of them out at once is faster.
FEW: Final = 64

# Eight brackets are one number, of which these say how much deeper it ends than it began, as a signed byte,
# and how much deeper it is where it is deepest.
EIGHTS: Final = [[1 if number >> bit & 1 else -1 for bit in reversed(range(8))] for number in range(256)]
DEEPER_IN_THE_END: Final = bytes(sum(steps) & 255 for steps in EIGHTS)
DEEPER_AT_MOST: Final = bytes(max(accumulate(steps, initial=0)) for steps in EIGHTS)


class Depth:
    """Counts the levels of a JSON text as it arrives, without recursion, and in time that is linear.

    Args:
        limit: levels of arrays and objects that it may have.
    """

    __slots__ = ("_in_string", "_level", "_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._level = 0
        self._in_string = False
        self._rest = b""

    def exceeds(self, text: bytes) -> bool:
        """Whether the text is too deep with this piece of it; if so, it is over.

        Args:
            text: the next piece of what claims to be JSON. For broken JSON the answer is that of its
                brackets.
        """
        return any(self._block(text[at : at + BLOCK]) for at in range(0, len(text), BLOCK))

    def _block(self, text: bytes) -> bool:
        if self._rest or _may_escape_quotes(text):
            # Only a quote that is not escaped ends a string, and two backslashes escape nothing else.
            text = (self._rest + text).replace(b"\\\\", b"")
            self._rest = b"\\" if text.endswith(b"\\") else b""
            text = text.replace(b'\\"', b"")
        marks = text.translate(MARKS, NO_MARK)
        if self._in_string:
            marks = b'"' + marks
        # Two quotes side by side change nothing for what is behind them, and most strings have no brackets.
        marks = marks.replace(b'""', b"")
        self._in_string = False
        if b'"' in marks:
            pieces = marks.split(b'"')
            self._in_string = len(pieces) % 2 == 0
            marks = b"".join(pieces[::2])
        opened = marks.count(OPENING)
        if self._level + opened > self._limit and self._is_deep(marks):
            return True
        self._level += 2 * opened - len(marks)
        return False

    def _is_deep(self, marks: bytes) -> bool:
        count = -(-len(marks) // 8)
        # Python reads binary digits in linear time, and closing brackets at the end make nothing deeper.
        eights = int(marks.ljust(count * 8, CLOSING), 2).to_bytes(count, "big")
        levels = accumulate(memoryview(eights.translate(DEEPER_IN_THE_END)).cast("b"), initial=self._level)
        deepest: int = max(map(add, levels, eights.translate(DEEPER_AT_MOST)))
        return deepest > self._limit


def _may_escape_quotes(text: bytes) -> bool:
    """Whether a quote may be escaped in this piece, or the first one of the next; most escapes are others."""
    at = text.find(b"\\")
    for _ in range(FEW):
        if at < 0:
            return False
        if text[at + 1 : at + 2] in DECISIVE:
            return True
        at = text.find(b"\\", at + 2)
    return True


def is_deeper(text: bytes, depth: int) -> bool:
    """Whether a JSON text is nested deeper than `depth` levels.

    Args:
        text: a JSON text, or what claims to be one; the answer for broken JSON is that of its brackets.
        depth: levels of arrays and objects.
    """
    if len(text) <= BLOCK and text.count(b"[") + text.count(b"{") <= depth:
        return False
    return Depth(depth).exceeds(text)


def is_utf8(text: bytes) -> bool:
    """Whether bytes are valid UTF-8 (RFC 3629), as JSON has to be (RFC 8259 section 8.1)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# More digits than any double or 64-bit integer has; converting long numbers takes quadratic time.
LONGEST_NUMBER: Final = 128


def flaw_in(text: bytes) -> str | None:
    """What is wrong with a JSON text beyond its depth and its UTF-8, or None.

    Strict is what RFC 8259 allows and RFC 7493 (I-JSON) asks for: no NaN or Infinity, no number that a
    double cannot hold, no name twice in one object, no lone surrogate. A byte order mark may stand in
    front (RFC 8259 section 8.1).

    Args:
        text: UTF-8 of a bounded depth.

    Returns:
        A sentence without anything from the text.
    """
    try:
        document = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_refuse_constant,
            parse_float=_bounded_float,
            parse_int=_bounded_int,
        )
    except json.JSONDecodeError as error:
        return f"The JSON is broken at line {error.lineno}, column {error.colno}."
    except _FlawError as flaw:
        return str(flaw)
    return _surrogate(text, document)


class _FlawError(ValueError):
    """Ends the parser with what is wrong."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _FlawError("The JSON has an object with the same name twice.")
    return found


def _refuse_constant(_text: str) -> Any:
    raise _FlawError("The JSON has NaN or Infinity, which are no JSON.")


def _bounded_int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise _FlawError("The JSON has a number that is too long.")
    return int(text)


def _bounded_float(text: str) -> float:
    number = float(text) if len(text) <= LONGEST_NUMBER else float("inf")
    if abs(number) == float("inf"):
        raise _FlawError("The JSON has a number that is too long or too large.")
    return number


def _surrogate(text: bytes, document: Any) -> str | None:
    # Only an escape can make a lone surrogate, because the text is UTF-8 (RFC 3629 section 3).
    if b"\\u" not in text:
        return None
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return "The JSON has half a surrogate pair, which is no character."
    return None
