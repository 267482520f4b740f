"""One part of a multipart body: whether it is what the document has for it, and what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.openapi import json_text, media_types
from garrison.openapi.json_text import JSONTextError
from garrison.openapi.model import Encoding, Shape, Violation

if TYPE_CHECKING:
    from garrison.openapi.part_heads import PartHead

PartKind: TypeAlias = Literal["file", "json", "text"]

PLAIN: Final = Encoding()
# What stands for a file where the schema is checked: a string that is long enough for any `minLength` that
# means "not empty". `maxLength` is judged by the bytes that were counted.
FILLER: Final = "x" * 4096


class PartRefusedError(Exception):
    """A part that is not what the document has under its name.

    Args:
        violation: what is wrong.
    """

    def __init__(self, violation: Violation) -> None:
        self.violation = violation
        super().__init__(violation.rule)


class Part:
    """A part while it streams.

    Args:
        head: its headers.
        shape: of its value: of an array's members where the parts of the same name are one array.
        encoding: that the document has for its name; None where it has none.
        pointer: of its value.

    Attributes:
        kind: `file` for bytes that are counted, `json` or `text` for a field that is kept.

    Raises:
        PartRefusedError: it is a file in place of a field or the reverse, or of another media type.
    """

    __slots__ = ("_data", "_pointer", "_shape", "_size", "kind")

    def __init__(self, head: PartHead, shape: Shape, encoding: Encoding | None, pointer: str) -> None:
        self._shape = shape
        self._pointer = pointer
        self._data = bytearray()
        self._size = 0
        self.kind = self._kind(head, encoding or PLAIN)
        charset = head.media_type.parameters.get("charset", "utf-8") if head.media_type else "utf-8"
        if self.kind != "file" and charset.lower() not in media_types.UTF_8:
            raise self._refused("mediaType", "has to be in UTF-8")

    def take(self, chunk: bytes) -> int:
        """Take a chunk, and say how many bytes of it are kept.

        Raises:
            PartRefusedError: a file has more bytes than `maxLength`.
        """
        self._size += len(chunk)
        if self.kind != "file":
            self._data += chunk
            return len(chunk)
        if self._shape.longest is not None and self._size > self._shape.longest:
            raise self._refused("maxLength", f"has more than {self._shape.longest} bytes")
        return 0

    def value(self) -> object:
        """What the part stands for: a text, a JSON value, or a string in place of a file.

        Raises:
            PartRefusedError: a field is not UTF-8, or no JSON.
        """
        if self.kind == "file":
            return FILLER[: self._size]
        if self.kind == "json":
            try:
                return json_text.read(bytes(self._data))
            except JSONTextError:
                raise self._refused("syntax", "has to be JSON") from None
        try:
            return self._data.decode()
        except UnicodeDecodeError:
            raise self._refused("encoding", "is not UTF-8") from None

    def _kind(self, head: PartHead, encoding: Encoding) -> PartKind:
        declared = encoding.content_types
        name = head.media_type.name if head.media_type else None
        if declared:
            # A field without a Content-Type is text (RFC 7578 section 4.4), which browsers' scripts cannot
            # change; a file without one may be anything.
            missing = name is None and (head.is_file or self._shape.binary)
            strange = name is not None and not any(media_types.is_within(name, each) for each in declared)
            if missing or strange:
                raise self._refused("mediaType", f"has to be {', '.join(declared)}")
        kind = media_types.kind_of(name or (declared[0] if declared else "text/plain"))
        if self._shape.binary or (declared and all(map(_is_opaque, declared))):
            if not head.is_file:
                raise self._refused("type", "has to be a file, with a file name")
            return "file"
        is_any = {"string", "object"} <= self._shape.types
        if not self._shape.types & {"string", "integer", "number", "boolean"} or (is_any and kind == "json"):
            return "json"
        if head.is_file and is_any:
            return "file"
        if head.is_file and not declared:
            raise self._refused("type", "has to be a field, without a file name")
        return "json" if declared and kind == "json" else "text"

    def _refused(self, rule: str, detail: str) -> PartRefusedError:
        return PartRefusedError(Violation("body", self._pointer, rule, f"The part {detail}."))


def _is_opaque(declared: str) -> bool:
    return declared != "*/*" and media_types.kind_of(declared) in {"opaque", "multipart"}
