"""Regular expressions as schemas have them (ECMA-262), for an engine that is linear in the text."""

from __future__ import annotations

import re
import warnings
from typing import Final

# Escapes one after the other, so that an escaped backslash begins none.
_ESCAPE: Final = re.compile(
    r"""
    \\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})
    | \\0(?P<octal>[0-7]{0,2})
    | \\[pPux]\{[^{}]*\}
    | (?P<set>\\[dDsSwW])-
    | \\(?P<other>.)
    | (?P<hyphen>-)(?=\\[dDsSwW])
    | (?P<brace>\{)(?![0-9,])
    """,
    re.DOTALL | re.VERBOSE,
)

# What is wrong in every dialect, as Python's engine says it; of other things only Python does not know.
_MISTAKES: Final = (
    "bad character range",
    "min repeat greater",
    "missing )",
    "nothing to repeat",
    "unbalanced parenthesis",
    "unterminated character set",
)


def translate(pattern: str) -> str:
    r"""A pattern for Rust's engine, where it means something else there, or nothing.

    A pair of surrogates is one character, and `\<` and `\>` are these characters: in Rust they are the
    edges of a word. What many documents have and browsers take as it is meant (ECMA-262, annex B.1.2) are a
    hyphen beside a set, as in `[\w-.]`, a brace that begins no count, and characters by octal number.

    Args:
        pattern: as ECMA-262 has it.
    """
    return _ESCAPE.sub(_written, pattern) if "\\" in pattern or "{" in pattern else pattern


def mistake_in(pattern: str) -> str:
    """What is wrong with a pattern that the engine did not take; empty where it may be right.

    Args:
        pattern: as `translate` returned it.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except re.error as error:
        if error.msg.startswith(_MISTAKES):
            return f"{error.msg} at character {(error.pos or 0) + 1}"
    except (OverflowError, RecursionError):
        pass
    return ""


def _written(escape: re.Match[str]) -> str:
    if escape["high"]:
        pair = (int(escape["high"], 16) - 0xD800) * 0x400 + int(escape["low"], 16) - 0xDC00 + 0x10000
        return f"\\u{{{pair:X}}}"
    if escape["octal"] is not None:
        return f"\\x{int(escape['octal'] or '0', 8):02x}"
    if escape["set"]:
        return f"{escape['set']}\\-"
    if escape["hyphen"] or escape["brace"]:
        return f"\\{escape[0]}"
    return escape["other"] if escape["other"] in {"<", ">"} else escape[0]
