"""Reads the parameters of one operation, as a document declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from garrison.openapi.compiled import compile_document
from garrison.openapi.document import load_document
from garrison.openapi.model import Head
from garrison.openapi.parameters import Reader

if TYPE_CHECKING:
    from garrison.openapi.model import Location
    from garrison.openapi.parameters import Values


def reader_of(
    *parameters: dict[str, Any], template: str = "/", more: dict[str, Any] | None = None, **options: Any
) -> Reader:
    """A reader of parameters.

    Args:
        parameters: as in a document; those of a path are required, whether they say so or not.
        template: of the operation.
        more: of the document.
        options: of the reader.
    """
    declared = [{**each, "required": True} if each["in"] == "path" else each for each in parameters]
    operation = {"parameters": declared, "responses": {"200": {"description": "Fine."}}}
    document = {
        "openapi": "3.2.0",
        "info": {"title": "A test", "version": "1"},
        "paths": {template: {"get": operation}},
        **(more or {}),
    }
    compiled = compile_document(load_document(document))
    return Reader(compiled.operations[0], compiled.requests, **options)


def one(location: Location, name: str, schema: dict[str, Any], **more: Any) -> Reader:
    """A reader of one parameter; `more` are other fields of it."""
    template = f"/{{{name}}}" if location == "path" else "/"
    return reader_of({"name": name, "in": location, "schema": schema, **more}, template=template)


def read(reader: Reader, location: Location, text: str | bytes) -> Values:
    """What a reader says of a request with this text in one place; a header's name is Color."""
    raw = text.encode("latin-1") if isinstance(text, str) else text
    headers = {"header": [(b"color", raw)], "cookie": [(b"cookie", raw)]}.get(location, [])
    query = raw if location == "query" else b""
    return reader.read(Head("GET", b"/", query, headers), (raw,) if location == "path" else ())
