"""Bounds on bodies that are JSON, and on those that may be JSON whatever their header says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from garrison.json_bounds import Depth, flaw_in, is_deeper, is_utf8
from garrison.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_UTF8: Final = Problem(status=400, detail="The JSON is not valid UTF-8.")

# RFC 8259 section 2, and the byte order mark that some senders put in front (section 8.1).
BLANK: Final = b" \t\r\n\xef\xbb\xbf"

# How a JSON text begins, NaN and Infinity among them, which Python's parser takes.
BEGINNINGS: Final = tuple(bytes([each]) for each in b'[{"-0123456789tfnNI')


class JsonBounds:
    """What JSON may be like.

    Args:
        depth: levels.
        strict: whether it must be what RFC 7493 asks for.
    """

    __slots__ = ("_depth", "_strict", "_too_deep")

    def __init__(self, depth: int, *, strict: bool) -> None:
        self._depth = depth
        self._strict = strict
        self._too_deep = too_deep(depth)

    def broken(self, body: bytes) -> Problem | None:
        """What is wrong with a body that is JSON; an empty one is fine.

        Args:
            body: the whole of it, without any coding.
        """
        # No JSON text holds a NUL (RFC 8259 section 7), and every UTF-16 one does, which parsers guess: in
        # its quotes whole brackets can hide from the count.
        if b"\0" in body:
            return NOT_UTF8
        if is_deeper(body, self._depth):
            return self._too_deep
        if not (body.isascii() or is_utf8(body)):
            return NOT_UTF8
        flaw = flaw_in(body) if self._strict and body else None
        return None if flaw is None else Problem(status=400, detail=flaw)


class SuspectedJson:
    """Judges the depth of what begins like JSON, piece by piece, and nothing else.

    Args:
        limit: levels.
    """

    __slots__ = ("_judge", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._judge: Callable[[bytes], bool] | None = None

    def __call__(self, data: bytes) -> Problem | None:
        """What is wrong with the body, now that these bytes have arrived."""
        if self._judge is None:
            start = data.lstrip(BLANK)[:1]
            if start:
                self._judge = Depth(self._limit).exceeds if start in {b"[", b"{"} else _never
        return too_deep(self._limit) if self._judge is not None and self._judge(data) else None


def text_without_coding(body: bytes) -> bytes:
    """What a body is to a parser that takes no notice of its Content-Encoding; empty where it is no text.

    Python's parser reads UTF-16 and UTF-32 too.

    Args:
        body: the whole of it, as it was sent.

    Returns:
        UTF-8, in which there may be lone surrogates.
    """
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass").encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return b""
    return text if text.lstrip(BLANK).startswith(BEGINNINGS) else b""


def too_deep(limit: int) -> Problem:
    """The 400 for JSON that is nested too deep.

    Args:
        limit: levels.
    """
    return Problem(status=400, detail=f"The JSON is nested deeper than {limit} levels.")


def _never(_data: bytes) -> bool:
    return False
