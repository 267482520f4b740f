"""Dialects of JSON Schema, which a document of 3.1 may choose."""

from __future__ import annotations

import pytest

from garrison.openapi.model import DocumentError
from tests.toolkit.openapi.documents import Checker, document

_OLD = "http://json-schema.org/draft-07/schema#"


def _checker(schema: object, dialect: str) -> Checker:
    return Checker(document(schema, {"Int": {"type": "integer"}}, jsonSchemaDialect=dialect))


@pytest.mark.parametrize(
    "dialect",
    [
        "https://json-schema.org/draft/2020-12/schema",
        "https://spec.openapis.org/oas/3.1/dialect/base",
        "https://spec.openapis.org/oas/3.2/dialect/2025-09-17",
    ],
)
def test_the_usual_dialects_are_2020_12(dialect: str) -> None:
    """With OpenAPI's own annotations or without."""
    check = _checker({"prefixItems": [{"$ref": "#/components/schemas/Int", "minimum": 1}]}, dialect)
    assert check.wrong([0]) == [("/0", "minimum")]


def test_older_dialects_are_read_as_they_were() -> None:
    """Arrays of items, dependencies, lone references and boolean bounds."""
    schema = {
        "items": [{"$ref": "#/components/schemas/Int", "minimum": 9}],
        "additionalItems": {"type": "null"},
        "dependencies": {"a": ["b"], "b": {"required": ["c"]}},
    }
    check = _checker(schema, _OLD)
    assert check.fits([1, None])
    assert check.wrong(["a", 1]) == [("/0", "type"), ("/1", "type")]
    assert check.wrong({"a": 1}) == [("", "dependentRequired")]
    assert check.wrong({"b": 1}) == [("/c", "required")]
    oldest = _checker({"minimum": 1, "exclusiveMinimum": True}, "http://json-schema.org/draft-04/schema#")
    assert oldest.wrong(1) == [("", "exclusiveMinimum")]


def test_an_unknown_dialect_is_refused() -> None:
    """Nobody knows what its keywords mean."""
    with pytest.raises(
        DocumentError, match="/jsonSchemaDialect: expected a dialect of JSON Schema that is known"
    ):
        _checker({}, "https://pets.invalid/dialect")


def test_a_schema_in_another_dialect_is_refused() -> None:
    """A document has one; its own name for the same one is no other."""
    usual = "https://json-schema.org/draft/2020-12/schema"
    assert _checker({"$schema": f"{usual}#", "minimum": 1}, usual).wrong(0) == [("", "minimum")]
    with pytest.raises(DocumentError, match="a schema in the dialect of the document"):
        _checker({"$schema": _OLD}, usual)
