"""The dialects of JSON Schema that a document may be in, and how they differ from the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from garrison.openapi.document import Document

_OLDEST: Final = frozenset({
    "additionalProperties", "allOf", "anyOf", "enum", "exclusiveMaximum", "exclusiveMinimum", "format",
    "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
    "minimum", "multipleOf", "not", "oneOf", "pattern", "properties", "required", "type", "uniqueItems",
})  # fmt: skip
_NEWER: Final = _OLDEST | {
    "const", "contains", "dependentRequired", "dependentSchemas", "else", "if", "maxContains", "minContains",
    "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a schema is to be read.

    Attributes:
        keywords: that mean something.
        lone_references: whether everything beside `$ref` is ignored.
        boolean_bounds: whether `exclusiveMinimum` and `exclusiveMaximum` are about the bound beside them.
        nullable: whether `nullable` is a keyword.
        older: whether `items` may be an array, and `dependencies` is a keyword.
    """

    keywords: frozenset[str] = _NEWER
    lone_references: bool = False
    boolean_bounds: bool = False
    nullable: bool = False
    older: bool = False

    def modern(self, schema: dict[str, object]) -> dict[str, object]:
        """A schema in the keywords of 2020-12, as far as its subschemas stay where they are.

        Args:
            schema: an object with a subschema for every keyword that has one.
        """
        found = schema
        if self.boolean_bounds:
            for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
                if isinstance(found.get(exclusive), bool):
                    found = dict(found)
                    if found.pop(exclusive) and bound in found:
                        found[exclusive] = found.pop(bound)
        return found


# OpenAPI 3.0.4 section 4.7.24: keywords of JSON Schema that are not listed there have no meaning.
OPENAPI_3_0: Final = Dialect(keywords=_OLDEST, lone_references=True, boolean_bounds=True, nullable=True)
JSON_SCHEMA_2020: Final = Dialect()

_DIALECTS: Final = {
    "json-schema.org/draft/2020-12/schema": JSON_SCHEMA_2020,
    "json-schema.org/draft/2019-09/schema": Dialect(older=True),
    "json-schema.org/draft-07/schema": Dialect(older=True, lone_references=True),
    "json-schema.org/draft-06/schema": Dialect(older=True, lone_references=True),
    "json-schema.org/draft-04/schema": Dialect(older=True, lone_references=True, boolean_bounds=True),
}


def dialect_of(document: Document) -> Dialect:
    """The dialect of a document's schemas (OpenAPI 3.1 section 4.8.24.5).

    Raises:
        DocumentError: it is none that is known.
    """
    if document.version == "3.0":
        return OPENAPI_3_0
    name = document.root.text("jsonSchemaDialect", "https://json-schema.org/draft/2020-12/schema")
    found = dialect_named(name)
    if found is None:
        raise DocumentError("/jsonSchemaDialect", "a dialect of JSON Schema that is known", repr(name[:120]))
    return found


def dialect_named(uri: str) -> Dialect | None:
    """The dialect of a URI, as `jsonSchemaDialect` or `$schema` has it; None for one that is not known."""
    if uri.startswith("https://spec.openapis.org/oas/3."):
        return JSON_SCHEMA_2020
    return _DIALECTS.get(uri.partition("://")[2].removesuffix("#"))
