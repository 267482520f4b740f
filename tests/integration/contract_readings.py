"""What queries, forms and uploads say of orders, as strictly as nearly every sender keeps it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

# `disputed`: readers of good will differ, and so both answers are right.
Verdict: TypeAlias = Literal["valid", "invalid", "disputed"]
Pairs: TypeAlias = "list[tuple[str, str]]"

ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_INTEGER_OF_SOME: Final = re.compile(r"[-+]?[0-9]+(\.0*)?([eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DISPOSITION: Final = re.compile(
    r'content-disposition: form-data; name="([^"\\%\x00-\x1f\x7f]*)"(; filename="([^"\\%\x00-\x1f\x7f]*)")?',
    re.IGNORECASE,
)


def _pairs(text: bytes) -> tuple[Verdict, Pairs]:
    """The names and values of a query or form."""
    if not text:
        return "valid", []
    found = []
    for piece in text.split(b"&"):
        if b"%" in ESCAPE.sub(b"", piece):
            return "invalid", []
        name, _, value = (
            unquote_to_bytes(part.replace(b"+", b" ")) for part in piece.partition(b"=")
        )  # fmt: skip
        try:
            found.append((name.decode(), value.decode()))
        except UnicodeDecodeError:
            return "invalid", []
    # Of bytes beyond ASCII some readers make UTF-8, and some Latin-1.
    is_clear = text.isascii() and all(map(any, found))
    return ("valid" if is_clear else "disputed"), [each for each in found if any(each)]


def list_query_verdict(query: bytes) -> Verdict:
    """Of the query of the list of orders."""
    verdict, found = _pairs(query)
    counted = Counter(name for name, _ in found)
    parts = [verdict]
    for name, value in found:
        if name == "limit":
            parts.append(integer_verdict(value, 1, 100))
        elif name == "status":
            parts.append(verdict_of(value in {"open", "sent", "paid"}))
        elif name in {"placed[after]", "placed[before]"}:
            parts.append(_date(value))
        else:
            parts.append("invalid")
        parts.append(verdict_of(name == "status" or counted[name] == 1))
    statuses = [value for name, value in found if name == "status"]
    parts.append(verdict_of(len(set(statuses)) == len(statuses)))
    return worst(parts)


def note_verdict(body: bytes) -> Verdict:
    """Of the form of a note."""
    verdict, found = _pairs(body)
    fields = dict(found)
    parts = [verdict, verdict_of(len(fields) == len(found) and set(fields) <= {"text", "stars"})]
    parts.append(verdict_of(1 <= len(fields.get("text", "")) <= 200))
    if "stars" in fields:
        parts.append(integer_verdict(fields["stars"], 1, 5))
    return worst(parts)


def upload_verdict(body: bytes, content_type: str) -> Verdict:
    """RFC 7578, as strictly as nearly every sender keeps it; more liberal readings are disputed."""
    boundary = content_type.partition("boundary=")[2]
    if not boundary:
        # The app may say so itself, without a look at the body.
        return "disputed"
    mark = b"\r\n--" + boundary.encode("latin-1")
    first, *parts = (b"\r\n" + body).split(mark)
    if not parts:
        return "invalid"
    if first or parts[-1] not in {b"--", b"--\r\n"} or b"--" in [part[:2] for part in parts[:-1]]:
        return "disputed"
    found: list[tuple[str, bool]] = []
    title = b""
    for part in parts[:-1]:
        head, blank, value = part.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        disposition = _DISPOSITION.fullmatch(lines[1]) if len(lines) > 1 else None
        if not blank or lines[0] or disposition is None:
            return "disputed"
        is_file = disposition[2] is not None
        if len(lines) > (3 if is_file else 2):
            return "disputed"
        if len(lines) == 3 and not re.fullmatch(r"content-type: [a-z]+/[a-z-]+", lines[2], re.IGNORECASE):
            return "disputed"
        found.append((disposition[1], is_file))
        title = value if disposition[1] == "title" else title
    names = [name for name, _ in found]
    if sorted(names) != ["picture", "title"]:
        return "invalid"
    if dict(found) != {"picture": True, "title": False}:
        return "disputed"
    try:
        return verdict_of(len(title.decode()) <= 80)
    except UnicodeDecodeError:
        return "invalid"


def integer_verdict(text: str, least: int, most: int) -> Verdict:
    """Of a whole number between two others."""
    if _INTEGER.fullmatch(text):
        return verdict_of(len(text) < 20 and least <= int(text) <= most)
    return "disputed" if _INTEGER_OF_SOME.fullmatch(text) else "invalid"


def _date(text: str) -> Verdict:
    if not _DATE.fullmatch(text):
        return "invalid"
    year, month, day = map(int, text.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return verdict_of(1 <= month <= 12 and 1 <= day <= days[month - 1])


def verdict_of(is_right: bool) -> Verdict:
    """Of what is right or wrong."""
    return "valid" if is_right else "invalid"


def worst(parts: Iterable[Verdict]) -> Verdict:
    """What several verdicts come to."""
    found = set(parts)
    return "invalid" if "invalid" in found else "disputed" if "disputed" in found else "valid"
