"""Null beside the other values of an OpenAPI 3.0 schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi.enumerations import looked_up
from garrison.openapi.keywords import IN_PLACE

if TYPE_CHECKING:
    from garrison.openapi.schemas import Schema

_COMBINING: Final = IN_PLACE | {"$ref"}


def nullable(schema: Schema) -> Schema:
    """A schema that allows null too (OpenAPI 3.0.4 section 4.7.24).

    By the letter `nullable` is about the `type` beside it and about nothing else; who writes it beside an
    `enum`, `allOf` or `$ref` means that the value may be null.

    Args:
        schema: in the keywords of JSON Schema 2020-12.
    """
    if not _COMBINING.isdisjoint(schema):
        return {"anyOf": [{"type": "null"}, looked_up(schema)]}
    found = dict(schema)
    kind, members = schema.get("type"), schema.get("enum")
    if isinstance(kind, str) and kind != "null":
        found["type"] = [kind, "null"]
    if isinstance(members, list) and None not in members:
        found["enum"] = [*members, None]
    return found
