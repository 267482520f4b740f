"""A request's body against what its operation declares: which media type it is in, and whether it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from garrison.openapi import media_types
from garrison.openapi.content import Content, is_encoded
from garrison.openapi.media_types import MediaTypeError
from garrison.openapi.model import Violation
from garrison.openapi.multipart_body import MultipartReader

if TYPE_CHECKING:
    from garrison.openapi.media_types import Kind
    from garrison.openapi.model import Media, Operation
    from garrison.openapi.validators import Validators

Way: TypeAlias = Literal["whole", "feed", "pass"]
"""How a body is handled: read whole for `check`, fed to `incremental` as it streams, or not looked at."""

Header: TypeAlias = tuple[bytes, bytes]

# Spellings of a declared media type that nearly every client uses; they are looked up and not parsed.
USUAL: Final = ("", ";charset=utf-8", "; charset=utf-8", ";charset=UTF-8", "; charset=UTF-8")
WAYS: Final[dict[Kind, Way]] = {
    "json": "whole",
    "form": "whole",
    "text": "whole",
    "multipart": "feed",
    "opaque": "pass",
}

MISSING: Final = Violation("body", "", "required", "The operation needs a body.")
UNDECLARED: Final = Violation("body", "", "unknown", "The operation takes no body.")
MALFORMED: Final = Violation("body", "", "mediaType", "The Content-Type is malformed.")
NOT_UTF_8: Final = Violation("body", "", "mediaType", "The body has to be in UTF-8.")
ENCODED: Final = Violation("body", "", "encoding", "The body has to come without a Content-Encoding.")


class Refusal(NamedTuple):
    """Why a body is refused before it is read.

    Attributes:
        status: 400, or 415 where another media type or coding would do.
        violation: what is wrong.
        headers: of the reply.
    """

    status: Literal[400, 415]
    violation: Violation
    headers: tuple[Header, ...] = ()


class BodyReader:
    """Reads the bodies of one operation.

    It reads JSON (every `+json` too), forms, multipart and plain text, where the document has a schema for
    them. Everything else passes as it is.

    Args:
        operation: whose bodies these are.
        validators: of requests.
        undeclared: what becomes of a body where the operation declares none.

    Attributes:
        is_required: whether a request must have a body.
    """

    __slots__ = ("_content", "_method", "_readers", "_undeclared", "_usual", "is_required")

    def __init__(
        self,
        operation: Operation,
        validators: Validators,
        *,
        undeclared: Literal["refuse", "pass"] = "refuse",
    ) -> None:
        body = operation.body
        self._undeclared = undeclared
        self._method = operation.method
        self.is_required = body is not None and body.required
        self._content = media_types.specific_first(body.content) if body else ()
        # By their place, which is found faster than what they say: `media` hands out these very ones.
        self._readers = {id(media): Content(media, validators) for media in self._content}
        # Nothing is more specific than these, so that there is nothing to search.
        self._usual = {
            (media.range + tail).encode(): media
            for media in self._content
            if "*" not in media.range and not media.parameters
            for tail in USUAL
        }

    def media(
        self, content_type: bytes | None, has_body: bool, content_encoding: bytes | None = None
    ) -> Media | Refusal | None:
        """The declared media type of a body, None where there is nothing to look at, or why it is refused.

        Args:
            content_type: as `content_type_of` has it.
            has_body: whether there is at least one byte. Where the header block does not tell, the first
                bytes do: a chunked body, and any of HTTP/2, may be empty.
            content_encoding: as `content_encoding_of` has it. An encoded body cannot be read, so that it is
                refused where it would have to be (RFC 9110 section 15.5.16).
        """
        if not has_body:
            return Refusal(400, MISSING) if self.is_required else None
        media = self._usual.get(content_type or b"")
        if media is None:
            found = self._found(content_type)
            if found is None or isinstance(found, Refusal):
                return found
            media = found
        if is_encoded(content_encoding) and self.way(media, content_type) != "pass":
            return Refusal(415, ENCODED, ((b"accept-encoding", b"identity"),))
        return media

    def way(self, media: Media, content_type: bytes | None) -> Way:
        """How a body of this media type is handled.

        Args:
            media: what `media` said.
            content_type: of the body.
        """
        return WAYS[self._readers[id(media)].kind(content_type)]

    def check(self, media: Media, content_type: bytes | None, body: bytes) -> tuple[Violation, ...]:
        """What is wrong with a body; empty where it fits, or is not read.

        Args:
            media: what `media` said.
            content_type: of the body.
            body: all of it.
        """
        if not body:
            return (MISSING,) if self.is_required else ()
        content = self._readers[id(media)]
        kind = content.kind(content_type)
        if kind == "multipart":
            reader = self.incremental(media, content_type)
            return reader.feed(body) or reader.end()
        return content.check(kind, body)

    def incremental(self, media: Media, content_type: bytes | None) -> MultipartReader:
        """A reader of one multipart body, to be fed with its chunks.

        Args:
            media: what `media` said, where `way` is `feed`.
            content_type: of the body.
        """
        sent = media_types.parse(content_type or b"")
        return MultipartReader(self._readers[id(media)], sent)

    def _found(self, content_type: bytes | None) -> Media | Refusal | None:
        if not self._content:
            return Refusal(400, UNDECLARED) if self._undeclared == "refuse" else None
        if content_type is None:
            # Some apps take it for JSON, though RFC 9110 section 8.3 lets it be anything.
            return self._unsupported("The body has no Content-Type")
        try:
            sent = media_types.parse(content_type)
        except MediaTypeError:
            return Refusal(400, MALFORMED)
        media = media_types.find(self._content, sent)
        if media is None:
            return self._unsupported("The body has another Content-Type")
        content = self._readers[id(media)]
        if content.is_evaded_by(sent.name):
            return self._unsupported("The body has a Content-Type that cannot be checked")
        charset = sent.parameters.get("charset", "utf-8").lower()
        if charset not in media_types.UTF_8 and content.kind(content_type) != "opaque":
            # An app that believes the charset would read another text than the one that is checked here.
            return Refusal(415, NOT_UTF_8)
        return media

    def _unsupported(self, what: str) -> Refusal:
        """A 415 that says what would do instead (RFC 9110 section 15.5.16, RFC 5789 section 2.2)."""
        ranges = tuple(dict.fromkeys(content.accepts for content in self._readers.values()))
        declared = ", ".join(ranges)
        headers = [(b"accept", declared.encode("latin-1", "replace"))]
        types = [each for each in ranges if "*" not in each]
        if self._method == "PATCH" and types:
            headers.append((b"accept-patch", ", ".join(types).encode("latin-1", "replace")))
        detail = f"{what}; the operation takes {declared}."
        return Refusal(415, Violation("body", "", "mediaType", detail), tuple(headers))
