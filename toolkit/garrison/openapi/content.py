"""Bytes of one media type as a value, and whether its schema allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi import json_text, media_types
from garrison.openapi.forms import Form
from garrison.openapi.json_text import JSONTextError
from garrison.openapi.model import Violation
from garrison.openapi.one_parameter import ParameterReader
from garrison.openapi.primitives import SCALARS, settle

if TYPE_CHECKING:
    from garrison.openapi.media_types import Kind
    from garrison.openapi.model import Media
    from garrison.openapi.validators import Validators

TOO_DEEP: Final = Violation(
    "body", "", "depth", f"The body does not fit, and is nested deeper than {json_text.DEEPEST} levels."
)
NOT_UTF_8: Final = Violation("body", "", "encoding", "The body is not UTF-8.")


class Content:
    """Reads bodies of one declared media type.

    Args:
        media: what the document says.
        validators: that its schema is among.

    Attributes:
        media: what the document says.
        accepts: the range for an Accept header, with its parameters.
    """

    __slots__ = ("_form", "_headers", "_kind", "_schema", "_validators", "accepts", "media")

    def __init__(self, media: Media, validators: Validators) -> None:
        self.media = media
        self._validators = validators
        self._schema = media.schema
        self._kind = None if "*" in media.range else self._kind_of(media.range)
        # Made on first use: a document has thousands of media types, of which few are in use at once.
        self._form: Form | None = None
        self._headers: dict[str, tuple[ParameterReader, ...]] = {}
        self.accepts = media.range + "".join(f";{name}={value}" for name, value in media.parameters)
        if media_types.is_within("application/json", media.range) and self.is_evaded_by(""):
            self.accepts = "application/json"

    def kind(self, content_type: bytes | None) -> Kind:
        """How a body is read; `opaque` where there is no schema, or one that its media type has no value for.

        Args:
            content_type: of the body; a valid one.
        """
        if self._kind is not None:
            return self._kind
        return self._kind_of("" if content_type is None else media_types.parse(content_type).name)

    def is_evaded_by(self, name: str) -> bool:
        """Whether a media type is one to get around the schema with.

        In a range, such as `*/*`, the client picks the media type. One that has no value for the schema would
        pass unread, and an app that takes every body for JSON would read it.

        Args:
            name: the media type of the body, in lower case without parameters.
        """
        picked = self._kind is None and bool(self._schema)
        return picked and "string" not in self.media.shape.types and self._kind_of(name) == "opaque"

    def check(self, kind: Kind, body: bytes) -> tuple[Violation, ...]:
        """What is wrong with a body; empty where it fits, or is of a kind that is not read whole.

        Args:
            kind: of the body.
            body: all of it.
        """
        if kind == "json":
            try:
                value = json_text.parse(body)
            except JSONTextError as error:
                return (Violation("body", "", "syntax", str(error)),)
            wrong = self.judge(value)
            # Looking for integers beyond 64 bits takes a fifth of the time of parsing. As doubles they still
            # break every bound of 64 bits, so that only what was refused needs an exact second look.
            exactly = json_text.exact(body, value) if wrong else value
            return wrong if exactly is value else self.judge(exactly)
        if kind == "form":
            if self._form is None:
                self._form = Form(self.media)
            return self._form.check(body, self.judge)
        if kind == "text":
            try:
                text = body.decode()
            except UnicodeDecodeError:
                return (NOT_UTF_8,)
            return settle([text], self.media.shape, self.judge)[1]
        return ()

    def judge(self, value: object) -> tuple[Violation, ...]:
        """What is wrong with the value of a body; empty where the schema allows it.

        Args:
            value: of the body.
        """
        wrong = self._validators.check(self._schema, value, "body")
        # What is said of the members of so deep a value is of no use to anybody.
        return (TOO_DEEP,) if wrong and json_text.is_deeper(value, json_text.DEEPEST) else wrong

    def part_headers(self, name: str) -> tuple[ParameterReader, ...]:
        """What the parts of a property must or may have as headers.

        Args:
            name: of the property.
        """
        encoding = self.media.encoding.get(name)
        if encoding is None or not encoding.headers:
            return ()
        if name not in self._headers:
            self._headers[name] = tuple(
                ParameterReader(header, self._validators) for header in encoding.headers
            )
        return self._headers[name]

    def _kind_of(self, name: str) -> Kind:
        kind = media_types.kind_of(name)
        types = self.media.shape.types
        if not self._schema or (kind == "text" and not types & SCALARS):
            return "opaque"
        if (kind == "form" and "object" not in types) or (
            kind == "multipart" and not types & {"object", "array"}
        ):
            return "opaque"
        return kind


def is_encoded(content_encoding: bytes | None) -> bool:
    """Whether a body is compressed or otherwise encoded (RFC 9110 section 8.4)."""
    return content_encoding is not None and content_encoding.strip().lower() not in {b"", b"identity"}


def key_of(media: Media) -> tuple[object, ...]:
    """What tells a media type from the others of one body."""
    return media.range, media.parameters
