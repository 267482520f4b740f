"""A reply against what its operation declares, for tests and canaries; the reply itself is never touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from garrison.openapi import media_types
from garrison.openapi.content import Content, is_encoded, key_of
from garrison.openapi.media_types import MediaTypeError
from garrison.openapi.model import Violation
from garrison.openapi.one_parameter import ParameterReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.openapi.media_types import Kind
    from garrison.openapi.model import Operation, Reply
    from garrison.openapi.validators import Validators

# RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5; 1xx are none of an app's replies. Of a 206 it is a part.
BODILESS: Final = frozenset({204, 205, 206, 304})

# What any exchange can end with, whatever the operation is: documents need not cover all status codes
# (OpenAPI 3.1 section 4.8.16). That of redirects and failures is true for whole classes.
GENERAL: Final = frozenset({206, 405, 408, 412, 413, 414, 415, 416, 417, 421, 426, 428, 429, 431})
UNAUTHORIZED: Final = frozenset({401, 403})


class ReplyBody(NamedTuple):
    """How the body of a reply is read.

    Attributes:
        content: what the document says.
        kind: of the body.
    """

    content: Content
    kind: Kind

    def check(self, body: bytes) -> tuple[Violation, ...]:
        """What is wrong with the body; empty where it fits.

        Args:
            body: all of it.
        """
        return self.content.check(self.kind, body)


class ReplyHead(NamedTuple):
    """What is known of a reply before its body.

    Attributes:
        violations: of its status, headers and media type.
        body: how the body is read; None where it is not to be looked at: there is none, it is a stream of
            events or otherwise nothing for a schema, or it is compressed.
    """

    violations: tuple[Violation, ...]
    body: ReplyBody | None = None


class ReplyReader:
    """Reads the replies of one operation.

    A status that is not declared is wrong, unless it is one that no operation needs to declare: a redirect, a
    failure of the server, what HTTP itself has for any request, and 401 and 403 where callers authenticate.

    Args:
        operation: whose replies these are.
        validators: of replies.
    """

    __slots__ = ("_general", "_readers")

    def __init__(self, operation: Operation, validators: Validators) -> None:
        self._readers = {key: _StatusReader(reply, validators) for key, reply in operation.replies.items()}
        self._general = GENERAL | UNAUTHORIZED if operation.security else GENERAL

    def head(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], *, to_head: bool = False
    ) -> ReplyHead:
        """What is wrong with a reply so far, and how its body is read.

        Args:
            status: of the reply.
            headers: of the reply, in any case.
            to_head: whether the request was a HEAD, so that there is no body.
        """
        if not self._readers:
            return ReplyHead(())
        reader = self._reader(status)
        if reader is None:
            if status // 100 not in {2, 4} or status in self._general:
                return ReplyHead(())
            detail = f"The operation has no reply with the status {status}."
            return ReplyHead((Violation("header", "", "status", detail),))
        lines = [(name.lower(), value) for name, value in headers]
        wrong = reader.check_headers(lines)
        if to_head or status in BODILESS:
            return ReplyHead(wrong)
        found = reader.body(lines)
        if isinstance(found, Violation):
            return ReplyHead((*wrong, found))
        return ReplyHead(wrong, found)

    def _reader(self, status: int) -> _StatusReader | None:
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self._readers:
                return self._readers[key]
        return None


class _StatusReader:
    """Reads the replies of one status."""

    __slots__ = ("_content", "_headers", "_readers")

    def __init__(self, reply: Reply, validators: Validators) -> None:
        self._content = media_types.specific_first(reply.content)
        self._readers = {key_of(media): Content(media, validators) for media in self._content}
        self._headers = tuple(ParameterReader(header, validators) for header in reply.headers)

    def check_headers(self, lines: list[tuple[bytes, bytes]]) -> tuple[Violation, ...]:
        """What is wrong with declared headers; all others pass."""
        wrong: list[Violation] = []
        for reader in self._headers:
            name = reader.parameter.name.encode()
            pairs = [("", value.strip(b" \t")) for key, value in lines if key == name]
            if pairs:
                reader.read(pairs, {}, wrong)
            elif reader.missing is not None:
                wrong.append(reader.missing)
        return tuple(wrong)

    def body(self, lines: list[tuple[bytes, bytes]]) -> ReplyBody | Violation | None:
        """How the body is read; None where it is not, a violation where it is of another media type."""
        if not self._content or (b"content-length", b"0") in lines:
            return None
        if any(name == b"content-range" for name, _ in lines):
            # A part has no value for the schema of the whole (RFC 9110 section 14.4).
            return None
        value = media_types.content_type_of(lines)
        if value is None:
            return Violation("body", "", "mediaType", "The reply has no Content-Type.")
        try:
            sent = media_types.parse(value)
        except MediaTypeError:
            return Violation("body", "", "mediaType", "The Content-Type of the reply is malformed.")
        media = media_types.find(self._content, sent)
        if media is None:
            declared = ", ".join(media.range for media in self._content)
            return Violation("body", "", "mediaType", f"The reply has another Content-Type than {declared}.")
        content = self._readers[key_of(media)]
        kind = content.kind(value)
        if kind in {"opaque", "multipart"} or is_encoded(media_types.content_encoding_of(lines)):
            return None
        return ReplyBody(content, kind)
