"""The headers of one part of a multipart body (RFC 7578 section 4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi import media_types
from garrison.openapi.media_types import MediaType, MediaTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable

DISPOSITION: Final = re.compile(rf"({media_types.TCHARS})[ \t]*+")
# Section 4.7 deprecates it, and what apps' parsers make of others differs.
PLAIN_ENCODINGS: Final = frozenset({"7bit", "8bit", "binary"})


class PartError(ValueError):
    """A part whose headers are wrong, or can be read in two ways; the message is a sentence without them."""


class PartHead(NamedTuple):
    """What the headers of a part say.

    Attributes:
        name: of the field; None where it has none.
        is_file: whether it has a file name.
        media_type: None where the part does not say.
        headers: names in lower case and values, all of them.
    """

    name: str | None
    is_file: bool
    media_type: MediaType | None
    headers: tuple[tuple[bytes, bytes], ...]


def read(lines: Iterable[tuple[str, str]], *, form_data: bool) -> PartHead:
    """What the headers of a part say.

    Args:
        lines: names and values, decoded as Latin-1.
        form_data: whether every part must be named and of the disposition `form-data`.

    Raises:
        PartError: they are malformed, or parsers differ about them.
    """
    headers = tuple((name.lower(), value.strip(" \t")) for name, value in lines)
    single = dict(headers)
    if len(single) != len(headers):
        raise PartError("A part has a header twice.")
    if single.get("content-transfer-encoding", "binary").lower() not in PLAIN_ENCODINGS:
        raise PartError("A part has a Content-Transfer-Encoding.")
    name, is_file = _disposition(single.get("content-disposition"), form_data=form_data)
    return PartHead(
        name,
        is_file,
        _media_type(single.get("content-type")),
        tuple((key.encode("latin-1"), value.encode("latin-1")) for key, value in headers),
    )


def _disposition(value: str | None, *, form_data: bool) -> tuple[str | None, bool]:
    """The name, and whether there is a file name."""
    if value is None:
        if form_data:
            raise PartError("A part has no Content-Disposition.")
        return None, False
    essence = DISPOSITION.match(value)
    try:
        parameters = media_types.parameters_of(value[essence.end() :] if essence else value)
        # The name is UTF-8 as it is (RFC 7578 section 5.1.1), or no text at all.
        name = parameters["name"].encode("latin-1").decode() if "name" in parameters else None
    except (MediaTypeError, UnicodeDecodeError):
        raise PartError("A part has a malformed Content-Disposition.") from None
    if form_data and (essence is None or essence[1].lower() != "form-data" or name is None):
        raise PartError("A part has no Content-Disposition of form-data with a name.")
    # Section 4.2 forbids extended parameters, which some parsers decode and others ignore. .NET sends
    # `filename*` beside `filename`: a file either way.
    extended = {key for key in parameters if "*" in key}
    if extended and (extended != {"filename*"} or "filename" not in parameters):
        raise PartError("A part has an extended parameter in its Content-Disposition.")
    return name, "filename" in parameters


def _media_type(value: str | None) -> MediaType | None:
    if value is None:
        return None
    try:
        return media_types.parse(value.encode("latin-1"))
    except MediaTypeError:
        raise PartError("A part has a malformed Content-Type.") from None
