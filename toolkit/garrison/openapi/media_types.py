"""Media types: what a Content-Type says (RFC 9110 section 8.3), and which declared range it is in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.openapi.model import Media

Kind: TypeAlias = Literal["json", "form", "multipart", "text", "opaque"]
"""How bytes of a media type become a value; what is opaque has no value and is not read."""

# RFC 9110 sections 5.6.2 to 5.6.6. The quantifiers are possessive, so that nothing is scanned twice.
TCHARS: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
ESSENCE: Final = re.compile(rf"({TCHARS})/({TCHARS})[ \t]*+")
QUOTED: Final = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*+)"'
PARAMETER: Final = re.compile(rf";[ \t]*+(?:({TCHARS})=(?:({TCHARS})|{QUOTED}))?+[ \t]*+")
QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# What is judged by them is what the app has only where both read them alike. Before quotes and backslashes
# nearly every parser takes a backslash away; before others, as in `\p`, many leave it.
DECISIVE: Final = frozenset({"boundary", "charset", "name"})
CLEAR_TEXT: Final = re.compile(r'(?:[^\\]|\\["\\])*+')
UTF_8: Final = frozenset({"utf-8", "utf8"})


class MediaTypeError(ValueError):
    """A header value that is no media type with parameters."""


class MediaType(NamedTuple):
    """A media type as it was sent.

    Attributes:
        name: type and subtype in lower case, such as `application/json`.
        parameters: names in lower case, and values without their quotes.
    """

    name: str
    parameters: dict[str, str]


def content_type_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The value of Content-Type, or None where there is none.

    Several are joined as RFC 9110 section 5.3 joins lines, and what comes of it is malformed: which of
    them a parser goes by is anybody's guess.

    Args:
        headers: names in lower case and values.
    """
    return _joined(headers, b"content-type")


def content_encoding_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The value of Content-Encoding, or None where there is none; several are one list.

    Args:
        headers: names in lower case and values.
    """
    return _joined(headers, b"content-encoding")


def _joined(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    values = [value for name, value in headers if name == wanted]
    return b", ".join(values) if values else None


def parse(value: bytes) -> MediaType:
    """Read a Content-Type.

    Raises:
        MediaTypeError: it is malformed, or has a parameter twice.
    """
    text = value.decode("latin-1").strip(" \t")
    essence = ESSENCE.match(text)
    if essence is None:
        raise MediaTypeError
    return MediaType(f"{essence[1]}/{essence[2]}".lower(), parameters_of(text[essence.end() :]))


def parameters_of(text: str) -> dict[str, str]:
    """The parameters behind a media type or a disposition (RFC 9110 section 5.6.6).

    Args:
        text: from the first semicolon on.

    Raises:
        MediaTypeError: they are malformed, there is one twice, of which parsers take either, or one that
            decides something has a backslash that parsers read in two ways.
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = PARAMETER.match(text, at)
        if match is None:
            raise MediaTypeError
        at = match.end()
        if match[1] is None:
            continue
        name = match[1].lower()
        if name in found or (name in DECISIVE and match[2] is None and not CLEAR_TEXT.fullmatch(match[3])):
            raise MediaTypeError
        found[name] = QUOTED_PAIR.sub(r"\1", match[3]) if match[2] is None else match[2]
    return found


def kind_of(name: str) -> Kind:
    """How a body of this media type is read.

    Args:
        name: type and subtype in lower case.
    """
    major, _, minor = name.partition("/")
    if minor == "json" or minor.endswith("+json"):
        return "json"
    if name == "application/x-www-form-urlencoded":
        return "form"
    if name in {"multipart/form-data", "multipart/mixed"}:
        return "multipart"
    # XML has no value for a schema, and a stream of events has no end.
    is_text = major == "text" and minor not in {"xml", "event-stream"} and not minor.endswith("+xml")
    return "text" if is_text else "opaque"


def is_within(name: str, declared: str) -> bool:
    """Whether a media type is in a range such as `text/*`, `application/*+json` or `*/*`.

    Args:
        name: type and subtype in lower case.
        declared: a media type or range in lower case, without parameters.
    """
    if declared == "*/*":
        return True
    before, star, after = declared.partition("*")
    if not star:
        return name == declared
    return name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)


def specific_first(content: Iterable[Media]) -> tuple[Media, ...]:
    """Media types in the order in which they are tried: OpenAPI lets the most specific one decide."""
    return tuple(
        sorted(content, key=lambda media: (media.range.count("*"), -len(media.range), -len(media.parameters)))
    )


def find(content: Iterable[Media], sent: MediaType) -> Media | None:
    """The first declared media type that the sent one is in, or None.

    Args:
        content: the more specific one first.
        sent: of the request or reply.
    """
    name, parameters = sent
    for media in content:
        if is_within(name, media.range) and all(
            parameters.get(key, "").lower() == value.lower() for key, value in media.parameters
        ):
            return media
    return None
