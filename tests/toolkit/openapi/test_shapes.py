"""What a schema allows, for those who read values from text."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.openapi.combined_shapes import ANY
from garrison.openapi.model import Shape
from tests.toolkit.openapi.documents import compiled, document, only_operation

_ALL = {"array", "boolean", "integer", "null", "number", "object", "string"}


def _shape(schema: object, components: dict[str, object] | None = None, version: str = "3.1.0") -> Shape:
    body = only_operation(compiled(document(schema, components, version))).body
    assert body is not None
    return body.content[0].shape


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        (True, _ALL),
        (False, set()),
        ({}, _ALL),
        ({"type": "integer"}, {"integer"}),
        ({"type": ["integer", "null"]}, {"integer", "null"}),
        (
            {"enum": [1, "a", None, 1.5, True, []]},
            {"integer", "string", "null", "number", "boolean", "array"},
        ),
        ({"const": {"a": 1}}, {"object"}),
        ({"type": "number", "enum": [1, 2]}, {"integer"}),
        ({"type": "string", "enum": [1, "a"]}, {"string"}),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"integer", "string"}),
        ({"oneOf": [{"type": "integer"}, {}]}, _ALL),
        ({"oneOf": [{"type": "integer"}, False]}, {"integer"}),
        ({"oneOf": [False]}, set()),
        ({"allOf": [{"type": ["integer", "string"]}, {"type": ["string", "null"]}]}, {"string"}),
        ({"allOf": [{"type": "number"}, {"type": "integer"}]}, {"integer"}),
        ({"$ref": "#/components/schemas/Id"}, {"integer"}),
        ({"$ref": "#/components/schemas/Id", "type": ["integer", "string"]}, {"integer"}),
        ({"type": "string", "anyOf": [{"minLength": 1}, {"const": ""}]}, {"string"}),
    ],
)
def test_types_are_those_that_are_possible(schema: object, types: set[str]) -> None:
    """Through references and all kinds of compositions."""
    assert _shape(schema, {"Id": {"type": "integer"}}).types == types


def test_null_of_3_0_is_a_type() -> None:
    """Beside a type, and beside a reference."""
    assert _shape({"type": "string", "nullable": True}, version="3.0.3").types == {"string", "null"}
    schema = {"allOf": [{"$ref": "#/components/schemas/Id"}], "nullable": True}
    assert _shape(schema, {"Id": {"type": "integer"}}, "3.0.3").types == {"integer", "null"}


def test_members_are_known() -> None:
    """Of arrays and objects, with what is required and whether there may be others."""
    shape = _shape({
        "type": "object",
        "required": ["tags"],
        "properties": {"tags": {"type": "array", "items": {"type": "integer"}}, "name": {"type": "string"}},
        "additionalProperties": {"type": "boolean"},
    })  # fmt: skip
    assert shape.properties["tags"].items == Shape(types=frozenset({"integer"}))
    assert shape.required == {"tags"}
    assert not shape.closed
    assert shape.additional == Shape(types=frozenset({"boolean"}))
    closed = _shape({"properties": {"a": True}, "additionalProperties": False})
    assert (closed.closed, closed.additional, closed.properties) == (True, None, {"a": ANY})
    assert not _shape({"patternProperties": {"^x-": {}}, "additionalProperties": False}).closed
    # What it refuses depends on all that holds beside it, such as patterns and conditions.
    assert not _shape({"properties": {"a": True}, "unevaluatedProperties": False}).closed


def test_compositions_have_the_members_of_all_parts() -> None:
    """All of them together in allOf, any of them in a union."""
    some: dict[str, Any] = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "integer"}},
    }
    more: dict[str, Any] = {
        "type": "object",
        "required": ["b"],
        "properties": {"a": {"type": "string"}, "b": {}},
        "additionalProperties": False,
    }
    every = _shape({"allOf": [some, {"properties": {"c": {"type": "null"}}, "required": ["c"]}]})
    assert {name: set(one.types) for name, one in every.properties.items()} == {
        "a": {"integer"},
        "c": {"null"},
    }
    assert every.required == {"a", "b", "c"}
    either = _shape({"oneOf": [some, more]})
    assert either.properties["a"].types == {"integer", "string"}
    assert either.required == {"b"}
    assert not either.closed
    arrays = _shape({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]})
    assert arrays.items == Shape(types=frozenset({"integer"}))


def test_shapes_may_contain_themselves() -> None:
    """As members with a name for ever, and without one as deep as a parameter can be written."""
    shape = _shape({"$ref": "#/components/schemas/Tree"}, {
        "Tree": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Tree"}}}
    })  # fmt: skip
    for _ in range(100):
        assert shape.types == {"object"}
        shape = shape.properties["next"]
    assert "other" not in shape.properties
    shape = _shape({"$ref": "#/components/schemas/Tree"}, {
        "Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
    })  # fmt: skip
    for _ in range(8):
        assert shape.types == {"array"}
        assert shape.items is not None
        shape = shape.items
    assert shape is ANY


def test_unions_that_contain_themselves_take_no_time() -> None:
    """The members of each alternative are combined when they are asked for, and not with all within them."""
    names = [f"S{number}" for number in range(20)]
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schemas: dict[str, object] = {
        name: {"type": "object", "properties": {other: {"anyOf": refs} for other in names}} for name in names
    }
    shape = _shape({"anyOf": refs}, schemas)
    for name in names[:3]:
        assert shape.types == {"object"}
        assert list(shape.properties) == names
        shape = shape.properties[name]
