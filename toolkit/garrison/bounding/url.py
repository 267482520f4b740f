"""What is no URL, and what servers, routers and file systems read in different ways."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from garrison.json_bounds import is_utf8
from garrison.rules import DOT_SEGMENT

# RFC 3986 section 2.1: two hexadecimal digits behind every per cent sign.
BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")

# C0, DEL and C1. What Python calls unprintable has blanks and private letters in it too.
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

# A textarea in a form that is sent with GET has ends of lines, and tabs.
QUERY_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# Escapes that become a separator for one reader and a letter for the next, and those of the per cent sign
# itself, behind which anything can be escaped twice.
TWO_READINGS: Final = re.compile(rb"%(?:2[Ff5]|5[Cc])")

ESCAPES: Final = "The path has a per cent sign that begins no escape."
NOT_UTF8: Final = "The path is not valid UTF-8."
CONTROLS: Final = "The path has control characters."
DOTS: Final = "The path has dot segments."


def flaw_in_path(path: str, raw: bytes) -> str | None:
    """What is wrong with a path that no honest client sends, or None.

    Browsers and command line tools resolve dot segments before they send a request (RFC 3986 section 5.2.4,
    and the URL standard for `%2e` too), and proxies such as nginx refuse escapes that are none and NUL.

    Args:
        path: as the server gave it, decoded.
        raw: the same before it was decoded; empty where the server does not say.

    Returns:
        A sentence without anything from the path.
    """
    if "/." in path and DOT_SEGMENT.search(path) is not None:
        return DOTS
    if not path.isprintable() and CONTROL.search(path) is not None:
        return CONTROLS
    # Some servers leave the query behind the raw path.
    if BAD_ESCAPE.search(raw) is not None and BAD_ESCAPE.search(raw.partition(b"?")[0]) is not None:
        return ESCAPES
    # Servers put characters that are not ASCII in the place of what they cannot decode.
    if path.isascii() and raw.isascii():
        return None
    return None if is_utf8(unquote_to_bytes(raw.partition(b"?")[0])) else NOT_UTF8


def flaw_in_url(path: str, raw: bytes, query: bytes) -> str | None:
    """What else is wrong with path and query if nothing may be read in two ways, or None.

    Args:
        path: as the server gave it, decoded.
        raw: the same before it was decoded; empty where the server does not say.
        query: still encoded.

    Returns:
        A sentence without anything from the URL.
    """
    if "//" in path or ";" in path or "\\" in path:
        return "The path has empty segments, semicolons or backslashes."
    if TWO_READINGS.search(raw.partition(b"?")[0]) is not None:
        return "The path has escaped slashes, backslashes or per cent signs."
    if BAD_ESCAPE.search(query) is not None:
        return "The query has a per cent sign that begins no escape."
    try:
        text = unquote_to_bytes(query).decode("utf-8")
    except UnicodeDecodeError:
        return "The query is not valid UTF-8."
    return "The query has control characters." if QUERY_CONTROL.search(text) is not None else None
