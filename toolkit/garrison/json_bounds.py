"""Bounds on JSON: its depth, counted in one pass before any parser sees it, and its strict grammar."""

from __future__ import annotations

import json
import re
from typing import Any, Final

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
