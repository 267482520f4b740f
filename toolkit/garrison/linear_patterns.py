"""Regular expressions of users, on an engine whose time is linear in the text whatever they are."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from garrison.extras import needs

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINE = "re2"


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why, in one sentence."""


def substitution(pattern: str, instead: str) -> Callable[[str], str]:
    """A function that replaces what a pattern matches, or its first group where it has one.

    Python's own engine takes time that is exponential in the text for some patterns, and quadratic for many
    that look harmless; RE2 takes none that has to (no back-references, no look-around).

    Args:
        pattern: in RE2's syntax.
        instead: what stands for each match.

    Raises:
        PatternError: RE2 is not installed, the pattern is none of its, or it matches the empty text.
    """
    re2 = _engine()
    options = re2.Options()
    options.log_errors = False  # it writes to standard error by itself
    try:
        # On bytes, because texts with lone surrogates are no UTF-8.
        compiled = re2.compile(pattern.encode("utf-8", "surrogatepass"), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "it is no pattern"
        raise PatternError(f"RE2 does not take it: {reason}.") from None
    if compiled.search(b"") is not None:
        raise PatternError("It matches the empty text, and so everywhere.")
    put = instead.encode()

    def replace(match: Any) -> bytes:
        whole: bytes = match.group(0)
        start, end = match.span(1) if match.re.groups else match.span()
        if start < 0:
            return whole
        begin: int = match.start()
        return whole[: start - begin] + put + whole[end - begin :]

    def substitute(text: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        if compiled.search(raw) is None:
            return text
        found: bytes = compiled.sub(replace, raw)
        return found.decode("utf-8", "surrogatepass")

    return substitute


def _engine() -> Any:
    try:
        return importlib.import_module(ENGINE)
    except ModuleNotFoundError:
        raise PatternError(needs("A pattern", ENGINE, "patterns")) from None
