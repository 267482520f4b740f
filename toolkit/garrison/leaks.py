"""Signs that an error reply shows what only its developers should see."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

INFLATED: Final = 256 * 1024

# RFC 9110 section 8.4.1: `x-gzip` is `gzip`, and some senders leave out what `deflate` has around its data.
WINDOWS: Final = {
    b"gzip": (zlib.MAX_WBITS | 16,),
    b"x-gzip": (zlib.MAX_WBITS | 16,),
    b"deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}

# Tracebacks and debug pages of the languages that apps behind ASGI and beside it are written in.
SIGNS: Final = re.compile(
    rb"""
    Traceback\ \(most\ recent\ call\ last\)
    | \bFile\ (?:&quot;|"|<[a-z][^<>]{0,80}>"?)[^"<>\r\n]{1,200}\.py\b.{0,60}?\bline\b   # Python
    | (?:^|\n)\s{2,8}at\ [^\n()]{0,120}\([^\n()]{1,200}:\d+:\d+\)                       # JavaScript
    | (?:^|\n)\s{1,8}at\ [\w$.]{3,200}\([\w$]{1,80}\.java:\d+\)                         # Java
    | class="traceback
    | \.py</[a-z]{1,10}>\ in\ .{0,200}?\bline\b                                           # Litestar
    | __debugger__                                                                      # Werkzeug
    | You're\ seeing\ this\ error\ because\ you\ have\ <code>DEBUG                      # Django
    | SQLSTATE\[ | ORA-\d{5} | psycopg2?\.errors\. | sqlite3\.[A-Z]\w+Error | sqlalchemy\.exc\.
    """,
    re.VERBOSE | re.DOTALL,
)


class Reveals(Protocol):
    """The redaction policy's verdict on a text, which may be a page for people."""

    def __call__(self, text: str, *, page: bool = False) -> bool:
        """Whether it holds something that has the shape of a secret."""
        ...


Evidence = Literal["debug_output", "secret"]
"""What gives a reply away: what only developers should see, or something with the shape of a secret."""


def evidence(headers: Iterable[tuple[bytes, bytes]], body: bytes, reveals: Reveals) -> Evidence | None:
    """What gives away that the body of an error reply leaks; None where nothing does.

    Args:
        headers: of the reply; a gzip or deflate coding is undone, another one cannot be looked into.
        body: its first part.
        reveals: the redaction policy's verdict on a text.
    """
    headers = list(headers)
    plain = decoded(headers, body, INFLATED)
    if SIGNS.search(plain) is not None:
        return "debug_output"
    page = any(name.lower() == b"content-type" and b"html" in value.lower() for name, value in headers)
    return "secret" if reveals(plain.decode("utf-8", "replace"), page=page) else None


def only_says(body: bytes, phrase: str) -> bool:
    """Whether a reply says no more than its status line: the phrase as text, or JSON with just that."""
    text = body.strip()
    if not text.startswith(b"{"):
        return text.decode("utf-8", "replace") == phrase
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return bool(document) and all(_says_nothing(value, phrase) for value in document.values())


def _says_nothing(value: Any, phrase: str) -> bool:
    return value in {500, phrase} if isinstance(value, int | str) else value is None


def decoded(headers: Iterable[tuple[bytes, bytes]], body: bytes, longest: int) -> bytes:
    """The first part of a body without its content coding, or as it is where that cannot be undone.

    Args:
        headers: of the reply.
        body: the first part of it.
        longest: how many bytes at most, since codings can make little of much.
    """
    coding = next(
        (value.strip().lower() for name, value in headers if name.lower() == b"content-encoding"), b""
    )
    for window in WINDOWS.get(coding, ()):
        try:
            return zlib.decompressobj(window).decompress(body, longest)
        except zlib.error:
            continue
    return body
