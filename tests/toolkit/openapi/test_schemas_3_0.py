"""Schemas of OpenAPI 3.0, of which JSON Schema 2020-12 knows nothing."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.openapi.model import DocumentError
from tests.toolkit.openapi.documents import checker

_PET: dict[str, object] = {
    "Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
}
_REF = {"$ref": "#/components/schemas/Pet"}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "nullable": True}, [None, "a"], [1]),
        ({"type": "string", "nullable": False}, ["a"], [None]),
        ({"type": "string"}, ["a"], [None]),
        ({"nullable": True, "minLength": 2}, [None, "ab", 1], ["a"]),
        ({"enum": ["a", "b"], "nullable": True}, [None, "a"], ["c"]),
        ({"type": "string", "enum": ["a"], "nullable": True}, [None, "a"], ["c", 1]),
        ({"type": "string", "enum": ["a", None], "nullable": True}, [None, "a"], ["c"]),
        ({"allOf": [_REF], "nullable": True}, [None, {"name": "a"}], [{}, 1]),
        ({"type": "object", "allOf": [_REF], "nullable": True}, [None, {"name": "a"}], [{}, 1]),
        ({"oneOf": [_REF, {"type": "string"}], "nullable": True}, [None, "a", {"name": "a"}], [{}, 1]),
        ({**_REF, "nullable": True}, [None, {"name": "a"}], [{}, 1]),
        ({**_REF, "maxProperties": 0}, [{"name": "a"}], [None]),
        ({"minimum": 3, "exclusiveMinimum": True}, [4, 3.5], [3, 2]),
        ({"minimum": 3, "exclusiveMinimum": False}, [3], [2]),
        ({"maximum": 3, "exclusiveMaximum": True}, [2], [3, 4]),
        ({"exclusiveMaximum": True}, [1, 10], []),
        ({"type": "array", "items": {}}, [[1, None]], [{}]),
        ({"const": 1, "if": True, "then": False, "patternProperties": {"": False}}, [1, 2, {"a": 1}], []),
        ({"additionalProperties": {"type": "integer", "nullable": True}}, [{"a": None}], [{"a": "b"}]),
        ({"items": {"type": "integer", "nullable": True}}, [[None, 1]], [["a"]]),
        ({"oneOf": [{"type": "integer", "nullable": True}, {"type": "string"}]}, [None, 1, "a"], [[]]),
        ({"not": {"type": "integer", "nullable": True}}, ["a"], [None, 1]),
        ({"type": "string", "format": "date", "nullable": True}, [None, "2026-01-31"], ["a"]),
    ],
)  # fmt: skip
def test_schemas_mean_what_3_0_says(schema: dict[str, Any], good: list[object], bad: list[object]) -> None:
    """null, exclusive bounds and lone references are read as in 3.0, and keywords of later drafts are not."""
    check = checker(schema, _PET, "3.0.3")
    assert [value for value in good if not check.fits(value)] == []
    assert [value for value in bad if check.fits(value)] == []


def test_null_does_not_hide_what_is_wrong() -> None:
    """A value that may be null or an object is told what the object lacks."""
    check = checker({"allOf": [_REF], "nullable": True}, _PET, "3.0.3")
    assert check.wrong({"name": 1}) == [("/name", "type")]


@pytest.mark.parametrize(
    ("schema", "pointer", "expected"),
    [
        ({"type": "strin"}, "/type", "one of array, boolean"),
        ({"properties": {"a": {"required": True}}}, "/properties/a/required", "an array of names"),
        ({"minLength": -1}, "/minLength", "a whole number"),
        ({"maximum": "9"}, "/maximum", "a number, found '9'"),
        ({"pattern": False}, "/pattern", "a string, found false"),
        ({"items": [{}]}, "/items", "a schema, found an array"),
        ({"properties": []}, "/properties", "an object, found an array"),
        ({"allOf": {}}, "/allOf", "an array, found an object"),
        ({"not": 1}, "/not", "a schema, found 1"),
        ({"type": ["string", "string"]}, "/type", "or several of these, found an array"),
        ({"type": []}, "/type", "or several of these, found an array"),
        ({"enum": "a"}, "/enum", "an array, found 'a'"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_with_its_place(schema: object, pointer: str, expected: str) -> None:
    """The person who wrote the document is told where the mistake is, and what belongs there."""
    with pytest.raises(DocumentError, match=expected) as caught:
        checker(schema, version="3.0.3")
    root = "/paths/~1pets/post/requestBody/content/application~1json/schema"
    assert caught.value.pointer == root + pointer


def test_several_mistakes_are_counted() -> None:
    """Who mends one is told that there are more."""
    schemas: dict[str, object] = {"A": {"type": "a"}, "B": {"type": "b"}, "C": {"type": "c"}}
    members = {name: {"$ref": f"#/components/schemas/{name}"} for name in schemas}
    with pytest.raises(DocumentError, match="and 2 more, the next at /components/schemas/") as caught:
        checker({"properties": members}, schemas)
    assert {error.pointer for error in (caught.value, *caught.value.others)} == {
        f"/components/schemas/{name}/type" for name in schemas
    }
