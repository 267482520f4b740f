"""Counts the parts of a multipart body, and what is in each, as they stream through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.problems import Problem
from garrison.short_body import unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.short_body import Refusal

Kind: TypeAlias = Literal["field", "file", "either"]

UNCLEAR: Final = unread(400, "The multipart body has not exactly one clear boundary.")

# RFC 2046 section 5.1.1. Without quotes it is a token (RFC 9110 section 5.6.6): where it is none, some
# readers take the whole of it and others its beginning.
BOUNDARY: Final = re.compile(
    rb""";\s*boundary=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"([^"\\;,\s](?:[^"\\;]*[^"\\;\s])?)")\s*(?:;|$)""",
    re.IGNORECASE,
)

# Whatever a reader could take for a boundary, the parts of one among it (RFC 2231 section 3).
NAMED: Final = re.compile(rb"boundary[\s*0-9]*=", re.IGNORECASE)

# Readers are not of one mind about ends of lines without a carriage return.
BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
BARE_END: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
DISPOSITION: Final = re.compile(
    rb"^content-disposition[ \t]*:(.*(?:\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE
)

# As every client writes it: the name of the field first, and a file name that is not empty.
FILE: Final = re.compile(
    rb"""\s*[a-z-]+\s*(?:;\s*name=(?:"[^"\\]*"|[^\s;"\\]+)\s*)?;\s*filename\*?=(?:"[^"]|[^\s;"])""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBounds:
    """How many parts a body may have, and how large each may be.

    Attributes:
        parts: fields and files together.
        header: bytes of one part's header lines.
        field: bytes of a field; None for any number.
        file: bytes of a file; None for any number.
    """

    parts: int
    header: int
    field: int | None
    file: int | None


class Parts:
    """Judges a multipart body, piece by piece, by what any reader could take for a part.

    It is no parser: what the parser of the app makes of a malformed body is the app's business, and every
    boundary counts, so that no reader can find more parts, or larger ones, than were counted.

    Args:
        boundary: of the body.
        bounds: for its parts.
    """

    __slots__ = ("_bounds", "_count", "_delimiter", "_in_header", "_left", "_limit", "_rest")

    def __init__(self, boundary: bytes, bounds: PartBounds) -> None:
        self._bounds = bounds
        self._delimiter = b"--" + boundary
        self._count = 0
        self._in_header = False
        self._limit: int | None = None
        self._left = 0
        self._rest = b""

    def __call__(self, data: bytes) -> Problem | None:
        """What is wrong with the body, now that these bytes have arrived."""
        text = self._rest + data
        at = 0
        while True:
            start, step = at, self._header if self._in_header else self._content
            at, problem = step(text, at)
            if problem is not None:
                return problem
            if at == start or at == len(text):
                self._rest = text[at:]
                return None

    def _header(self, text: bytes, at: int) -> tuple[int, Problem | None]:
        """Read on to the end of the header lines, if it is there yet."""
        blank = BLANK_LINE.search(text, at)
        # In front of it is the end of the boundary's line, and behind it may be three bytes of the blank one.
        end = len(text) - 3 if blank is None else blank.start()
        if end - at - 2 > self._bounds.header:
            detail = f"The headers of a part are longer than {self._bounds.header} bytes."
            return at, Problem(status=413, detail=detail)
        if blank is None:
            return at, None
        limits = {"field": self._bounds.field, "file": self._bounds.file}
        kind = kind_of(text[at:end])
        found = [limit for name, limit in limits.items() if kind in {name, "either"} and limit is not None]
        self._limit = min(found, default=None)
        self._left = self._limit or 0
        self._in_header = False
        return blank.end(), None

    def _content(self, text: bytes, at: int) -> tuple[int, Problem | None]:
        """Read on to the next boundary, or as far as there can be none."""
        found = text.find(self._delimiter, at)
        # What is kept may be the end of a line and the beginning of a boundary.
        end = max(at, len(text) - len(self._delimiter) - 1) if found < 0 else found
        size = end - at
        if found >= 0:
            size -= text.endswith(b"\n", at, end) + text.endswith(b"\r\n", at, end)
        self._left -= size
        if self._limit is not None and self._left < 0:
            return at, Problem(status=413, detail=f"A part of the body is longer than {self._limit} bytes.")
        behind = found + len(self._delimiter)
        if found < 0 or len(text) < behind + 2:
            return end, None
        self._limit = None
        if not text.startswith(b"--", behind):
            self._in_header = True
            self._count += 1
            if self._count > self._bounds.parts:
                detail = f"The body has more than {self._bounds.parts} parts."
                return at, Problem(status=413, detail=detail)
        return behind, None


def kind_of(header: bytes) -> Kind:
    """What the header lines of a part make of it; `either` where readers may differ."""
    dispositions = DISPOSITION.findall(header)
    if len(dispositions) != 1 or BARE_END.search(header) is not None:
        return "either"
    if b"filename" not in dispositions[0].lower():
        return "field"
    return "file" if FILE.match(dispositions[0]) is not None else "either"


def judge_of(content_type: bytes, bounds: PartBounds) -> Callable[[bytes], Problem | None] | Refusal | None:
    """What judges a body by its parts; None where it names no boundary and nobody can read it.

    Args:
        content_type: as it was sent.
        bounds: for the parts.

    Returns:
        A refusal where the boundary is not clear.
    """
    named = len(NAMED.findall(content_type))
    found = BOUNDARY.search(content_type)
    if found is None or named > 1:
        return UNCLEAR if named else None
    return Parts(found[1] or found[2], bounds)
