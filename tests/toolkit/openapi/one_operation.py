"""Documents with one operation, and what reads its bodies and replies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from garrison.openapi.bodies import BodyReader, Refusal
from garrison.openapi.compiled import Compiled, compile_document
from garrison.openapi.document import load_document
from garrison.openapi.model import Media, Violation
from garrison.openapi.responses import ReplyReader

Content: TypeAlias = Mapping[str, Mapping[str, object]]

JSON = b"application/json"
FORM = b"application/x-www-form-urlencoded"


def compiled(operation: Mapping[str, object], method: str = "post", version: str = "3.1.0") -> Compiled:
    """A document with this operation and no other."""
    return compile_document(
        load_document(
            {
                "openapi": version,
                "info": {"title": "Shop", "version": "1"},
                "paths": {"/things": {method: {"responses": {"200": {"description": "Fine"}}, **operation}}},
                "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
            }
        )
    )


def body_reader(
    content: Content,
    *,
    method: str = "post",
    required: bool = True,
    undeclared: Literal["refuse", "pass"] = "refuse",
    version: str = "3.1.0",
) -> BodyReader:
    """What reads the bodies of an operation with this content; of one without a body where it is empty."""
    operation = {"requestBody": {"content": content, "required": required}} if content else {}
    document = compiled(operation, method, version)
    return BodyReader(document.operations[0], document.requests, undeclared=undeclared)


def reply_reader(replies: Mapping[str, object], **more: object) -> ReplyReader:
    """What reads the replies of an operation with these responses; `more` is in the operation too."""
    document = compiled({"responses": replies, **more}, "get")
    return ReplyReader(document.operations[0], document.replies())


def judged(reader: BodyReader, content_type: bytes, body: bytes) -> tuple[Violation, ...]:
    """What is wrong with a body, from its media type to its last byte."""
    media = reader.media(content_type, bool(body))
    if isinstance(media, Refusal):
        return (media.violation,)
    return reader.check(media, content_type, body) if isinstance(media, Media) else ()


def rules(violations: tuple[Violation, ...]) -> list[tuple[str, str]]:
    """Pointers and rules."""
    return [(violation.pointer, violation.rule) for violation in violations]
