"""A multipart body (RFC 7578), judged while it streams: files are counted and not kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from garrison.openapi import part_heads
from garrison.openapi.media_types import kind_of
from garrison.openapi.model import Violation
from garrison.openapi.part_heads import PartError
from garrison.openapi.parts import Part, PartRefusedError
from garrison.openapi.primitives import ANYTHING, SCALARS, escaped, member_of, settle, value_of

if TYPE_CHECKING:
    from garrison.openapi.content import Content
    from garrison.openapi.media_types import MediaType
    from garrison.openapi.model import Shape
    from garrison.openapi.part_heads import PartHead
    from garrison.openapi.parts import PartKind
    from garrison.openapi.primitives import Tree

# RFC 2046 section 5.1.1.
BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
# Bytes that are kept of fields in sum, and what each part counts beside its own.
KEPT: Final = 1024 * 1024
EACH: Final = 256
# Lines of a part's header block, and bytes of one.
HEADERS: Final = 8
HEADER: Final = 4096 + 128


class AnyParts(PushMultipartParser):  # type: ignore[misc] # the package has no types
    """A parser that leaves it to its caller what the headers of a part must be."""

    def _create_segment(self, headerlist: list[tuple[str, str]]) -> MultipartSegment:
        return MultipartSegment(headerlist)


class MultipartReader:
    """Reads one multipart body, chunk by chunk.

    What is wrong is said as soon as it is known: an undeclared part or a file in place of a field at the
    part's header block, a file that is too long in its middle, what is missing at the end.

    Args:
        content: of the media type.
        sent: the Content-Type of the body.
    """

    __slots__ = (
        "_content",
        "_form_data",
        "_is_list",
        "_kept",
        "_media",
        "_parser",
        "_part",
        "_taken",
        "_wrong",
    )

    def __init__(self, content: Content, sent: MediaType) -> None:
        self._content = content
        self._media = content.media
        self._form_data = sent.name == "multipart/form-data"
        # The parts of one name, or all of them where the body is an array (OpenAPI 3.2 section 4.15.2).
        self._is_list = "object" not in content.media.shape.types
        self._taken: dict[str, list[tuple[PartKind, object]]] = {}
        self._kept = 0
        self._part: tuple[str, Part] | None = None
        self._wrong: tuple[Violation, ...] = ()
        boundary = sent.parameters.get("boundary", "")
        if not BOUNDARY.fullmatch(boundary):
            self._wrong = _violation("syntax", "The Content-Type has no valid boundary.")
        self._parser = AnyParts(
            boundary or "-", header_charset="latin-1", max_header_count=HEADERS, max_header_size=HEADER
        )

    @property
    def kept(self) -> int:
        """Bytes that are held of fields until the end."""
        return self._kept

    def feed(self, chunk: bytes) -> tuple[Violation, ...]:
        """Take the next chunk.

        Args:
            chunk: of any size.

        Returns:
            What is wrong so far, and then the same for every later chunk; empty while nothing is.
        """
        if self._wrong or not chunk or self._parser.closed:
            return self._wrong
        try:
            for event in self._parser.parse(chunk):
                self._take(event)
        except ParserLimitReached:
            self._wrong = _violation("size", f"A part has more than {HEADERS} headers or a long one.")
        except MultipartError:
            self._wrong = _violation("syntax", "The body is broken as multipart.")
        except PartError as error:
            self._wrong = _violation("syntax", str(error))
        except PartRefusedError as refusal:
            self._wrong = (refusal.violation,)
        return self._wrong

    def end(self) -> tuple[Violation, ...]:
        """What is wrong with the body, now that it is complete; empty where it fits."""
        if not self._wrong:
            try:
                self._parser.close()
            except MultipartError:
                self._wrong = _violation("syntax", "The body ends before its last boundary.")
        return self._wrong or self._judged()

    def _take(self, event: MultipartSegment | bytes | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            head = part_heads.read(event.headerlist, form_data=self._form_data)
            self._part = self._begun(head)
            self._kept += EACH + len(head.name or "")
        elif self._part is not None:
            name, part = self._part
            if event is None:
                self._taken.setdefault(name, []).append((part.kind, part.value()))
            else:
                self._kept += part.take(bytes(event))
        if self._kept > KEPT:
            raise PartRefusedError(Violation("body", "", "size", f"The fields have more than {KEPT} bytes."))

    def _begun(self, head: PartHead) -> tuple[str, Part]:
        """The name under which the part is taken, and the part."""
        whole = self._media.shape
        if self._is_list:
            items = whole.items or ANYTHING
            if not self._form_data and _is_bytes(head, items):
                head = head._replace(is_file=True)
            return "", Part(head, items, None, f"/{len(self._taken.get('', ()))}")
        name = head.name
        if name is None:
            raise PartRefusedError(Violation("body", "", "required", "A part has no name."))
        declared = name in whole.properties
        if not declared and whole.closed:
            raise PartRefusedError(Violation("body", "", "unknown", "There is a part that is not declared."))
        pointer = f"/{escaped(name)}" if declared else ""
        shape = member_of(whole, name)
        before = len(self._taken.get(name, ()))
        if before and "array" not in shape.types:
            raise PartRefusedError(Violation("body", pointer, "repeated", "The part may be there only once."))
        if is_array(shape):
            pointer = f"{pointer}/{before}" if declared else ""
            shape = shape.items or ANYTHING
        part = Part(head, shape, self._media.encoding.get(name), pointer)
        self._check_headers(name, head, pointer)
        return name, part

    def _check_headers(self, name: str, head: PartHead, pointer: str) -> None:
        wrong: list[Violation] = []
        for reader in self._content.part_headers(name):
            header = reader.parameter.name.encode()
            pairs = [("", value) for key, value in head.headers if key == header]
            if pairs:
                reader.read(pairs, {}, wrong)
            elif reader.missing is not None:
                wrong.append(reader.missing)
        if wrong:
            raise PartRefusedError(Violation("body", pointer, wrong[0].rule, wrong[0].detail))

    def _judged(self) -> tuple[Violation, ...]:
        """What is wrong with the value of all parts."""
        media, judge = self._media, self._content.judge
        if self._is_list:
            items = media.shape.items or ANYTHING
            listed = [_plain(part, items) for part in self._taken.get("", ())]
            return judge(listed)
        # Only what was sent as text can be read in several ways.
        texts: dict[str, Tree] = {}
        others: dict[str, object] = {}
        for name, parts in self._taken.items():
            shape = member_of(media.shape, name)
            as_array = len(parts) > 1 or is_array(shape)
            found = [value for kind, value in parts if kind == "text" and isinstance(value, str)]
            if len(found) == len(parts):
                texts[name] = list(found) if as_array else found[0]
            else:
                items = (shape.items or ANYTHING) if as_array else shape
                values = [_plain(part, items) for part in parts]
                # An array may come as JSON in one part, where the document says that it is JSON.
                is_whole = isinstance(values[0], list) and len(values) == 1 and not is_array(items)
                others[name] = values if as_array and not is_whole else values[0]

        def check(value: object) -> tuple[Violation, ...]:
            read = value if isinstance(value, dict) else {}
            return judge({**read, **others})

        return settle([texts], media.shape, check)[1]


def is_array(shape: Shape) -> bool:
    """Whether parts of one name are one array, even if there is only one."""
    return "array" in shape.types and not shape.types & (SCALARS - {"null"} | {"object"})


def _is_bytes(head: PartHead, shape: Shape) -> bool:
    """Whether a part is bytes by its media type: only parts of a form are files by their name."""
    is_opaque = head.media_type is not None and kind_of(head.media_type.name) == "opaque"
    return is_opaque and (shape.binary or {"string", "object"} <= shape.types)


def _plain(part: tuple[PartKind, object], shape: Shape) -> object:
    kind, value = part
    return value_of(value, shape) if kind == "text" and isinstance(value, str) else value


def _violation(rule: str, detail: str) -> tuple[Violation, ...]:
    return (Violation("body", "", rule, detail),)
