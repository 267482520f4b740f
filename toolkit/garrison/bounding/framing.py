"""What the header lines of a request say of its body: how long it is, what it is, and how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.asgi import content_length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import Scope

FORM: Final = b"application/x-www-form-urlencoded"
MULTIPART: Final = b"multipart/"
JSON: Final = frozenset({b"application/json", b"text/json"})

# The lines that are about the body.
LINES: Final = frozenset({b"content-encoding", b"content-length", b"content-type", b"transfer-encoding"})

# Beside one of these a body has no meaning (RFC 9110 sections 9.3.1 and 9.3.2), and HTTP/2 announces none.
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Framing(NamedTuple):
    """What is known of a body before its first byte.

    Attributes:
        length: in bytes; None where it is not declared.
        delimited: whether an end is said of it that is not its beginning.
        typed: whether it is said what it is.
        certain: whether its end and its type are the same for every reader.
        content_type: as it was sent; empty where none was.
        media_type: in lower case without its parameters; empty where none is given.
        codings: those of Content-Encoding in lower case, the first one applied first, without `identity`.
        is_json: whether it is JSON by its media type (MIME Sniffing Standard, section 4.6).
    """

    length: int | None
    delimited: bool
    typed: bool
    certain: bool
    content_type: bytes
    media_type: bytes
    codings: tuple[bytes, ...]
    is_json: bool

    @property
    def announced(self) -> bool:
        """Whether there is a body for certain; later versions of HTTP than 1.1 need not say so."""
        return self.delimited or self.typed

    @property
    def is_untyped(self) -> bool:
        """Whether it may be JSON by accident.

        Tools and scripts send JSON without a media type or with that of a form or of plain text, and
        handlers parse it all the same.
        """
        media_type = self.media_type
        return media_type in {b"", FORM} or media_type.startswith(b"text/")


def framing_of(lines: Iterable[tuple[bytes, bytes]]) -> Framing:
    """What header lines say of the body.

    Args:
        lines: those of `LINES`, and any others.
    """
    declared: bytes | None = None
    content_type = b""
    codings: tuple[bytes, ...] = ()
    chunked = typed = False
    certain = True
    for name, value in lines:
        # Of two types one reader takes the first and the next the last, and so with lengths.
        if name == b"content-type":
            if typed and value != content_type:
                certain = False
            content_type, typed = value, True
        elif name == b"content-length":
            if declared is not None and value != declared:
                certain = False
            declared = value
        elif name == b"transfer-encoding":
            # HTTP/1.1 knows no other use for it than chunks.
            chunked = True
        elif name == b"content-encoding":
            found = (coding.strip().lower() for coding in value.split(b","))
            codings += tuple(coding for coding in found if coding not in {b"", b"identity"})
    length = None if declared is None else content_length(declared)
    # Two framings at once are how requests are smuggled (RFC 9112 section 6.3).
    if declared is not None and (length is None or chunked):
        certain = False
    delimited = chunked or declared not in {None, b"0"} or not certain
    media_type = content_type.partition(b";")[0].strip().lower()
    is_json = media_type in JSON or media_type.endswith(b"+json")
    return Framing(length, delimited, typed, certain, content_type, media_type, codings, is_json)


def has_body(scope: Scope, framing: Framing) -> bool:
    """Whether there may be a body: HTTP/1.x announces it (RFC 9112 section 6), later versions need not.

    Args:
        scope: of the request, of type `http`.
        framing: what its header lines say.
    """
    if framing.delimited:
        return True
    if scope.get("http_version", "1.1") < "2":
        return False
    return scope["method"] not in BODILESS or framing.typed
