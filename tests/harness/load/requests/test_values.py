"""Values that a schema allows, judged by a validator of others."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from garrison_harness.load.requests.spec import FRESH
from garrison_harness.load.requests.values import CannotMakeError, make

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Cat": {
                "type": "object",
                "required": ["kind", "lives"],
                "properties": {"kind": {"type": "string"}, "lives": {"type": "integer", "maximum": 9}},
            },
            "Dog": {
                "type": "object",
                "required": ["kind", "tricks"],
                "properties": {
                    "kind": {"type": "string"},
                    "tricks": {"type": "array", "items": {"type": "string"}},
                },
            },
            "Tree": {
                "type": "object",
                "required": ["name", "children"],
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                },
            },
        }
    }
}
SCHEMAS: list[dict[str, Any]] = [
    {"type": "integer", "minimum": 5, "maximum": 7},
    {"type": "integer", "exclusiveMinimum": -3, "exclusiveMaximum": -1},
    {"type": "integer", "maximum": -1000},
    {"type": "integer", "minimum": 1000, "multipleOf": 7},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
    {"type": "number", "minimum": 0.1, "maximum": 0.3, "multipleOf": 0.1},
    {"type": "string", "minLength": 3, "maxLength": 4},
    {"type": "string", "minLength": 300},
    {"type": "string", "maxLength": 0},
    {"type": "string", "pattern": "^[A-Z]{2}-\\d{4}$"},
    {"type": "string", "pattern": "^(red|green)(-[a-z]+)?$", "minLength": 6},
    {"type": "string", "pattern": "[0-9]{3}"},
    {"type": "string", "pattern": "^[^a-z]+$"},
    {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}], "items": False},
    {"type": "array", "contains": {"const": "needle"}, "minItems": 1},
    {"type": ["null", "integer"]},
    {"enum": [None, "x"]},
    {"const": {"a": [1]}},
    {"anyOf": [{"type": "string", "minLength": 40}, {"type": "null"}]},
    {"oneOf": [{"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 10}]},
    {
        "allOf": [
            {"required": ["a"], "properties": {"a": {"type": "integer", "minimum": 3}}},
            {"required": ["b"], "properties": {"a": {"maximum": 3}, "b": {"type": "boolean"}}},
        ]
    },
    {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    {"type": "object", "required": ["x"], "properties": {"x": {"default": 4}}, "additionalProperties": False},
    {"type": "object", "required": ["x"], "additionalProperties": {"type": "boolean"}},
    {
        "if": {"properties": {"a": {"const": 1}}},
        "then": {"required": ["b"]},
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "type": "object",
        "required": ["a", "b"],
    },
    {"not": {"type": "string"}, "type": ["string", "integer"]},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("turn", range(4))
def test_made_values_are_valid(schema: dict[str, Any], turn: int) -> None:
    """Whatever is made keeps the schema, in every turn."""
    Draft202012Validator(schema).validate(make(schema, {}, turn))


FORMATS = ("date", "date-time", "email", "hostname", "ipv4", "ipv6", "uuid", "regex", "idn-email")


@pytest.mark.parametrize("form", FORMATS)
def test_made_texts_have_their_format(form: str) -> None:
    """A text of a format is one, also after its number was replaced."""
    schema = {"type": "string", "format": form}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    for turn in range(8):
        made = make(schema, {}, turn)
        validator.validate(made)
        validator.validate(made.replace(FRESH, "10000000"))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "string"},
        {"type": "boolean"},
        {"enum": ["a", "b"]},
        {"type": "string", "pattern": "^[a-z]{5}$"},
        {"type": "string", "format": "date"},
    ],
    ids=str,
)
def test_turns_give_different_values(schema: dict[str, Any]) -> None:
    """A cache cannot answer everything: what is sent differs from turn to turn, or is new each time."""
    made = [make(schema, {}, turn) for turn in range(8)]
    assert len(set(made)) > 1 or all(FRESH in str(one) for one in made)


def test_what_an_author_names_comes_first() -> None:
    """Examples, defaults and constants are taken, unless they break the schema that they stand in."""
    assert make({"type": "integer", "examples": [42, 43]}, {}, 1) == 43
    assert make({"type": "integer", "example": 42, "default": 7}, {}) == 42
    assert make({"type": "string", "default": "blue"}, {}) == "blue"
    assert make({"type": "integer", "minimum": 5, "example": 4}, {}) == 5


def test_optional_properties_are_left_out_unless_the_author_names_a_value() -> None:
    """The least that is valid is sent, since nobody knows what else an app can take."""
    properties = {"a": {"type": "integer"}, "b": {"type": "string"}, "c": {"type": "string", "example": "x"}}
    assert make({"type": "object", "required": ["a"], "properties": properties}, {}) == {"a": 1, "c": "x"}


def test_what_is_only_for_reading_is_not_sent() -> None:
    """A request has no read-only property, required or not, named by its author or not."""
    properties = {"id": {"type": "integer", "readOnly": True, "example": 3}, "name": {"type": "string"}}
    schema = {"type": "object", "required": ["id", "name"], "properties": properties}
    assert set(make(schema, {})) == {"name"}
    assert set(make({**schema, "example": {"id": 3, "name": "x"}}, {})) == {"name"}


def test_a_discriminator_says_which_branch_was_taken() -> None:
    """The property names the schema, or what the mapping calls it."""
    pets = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
    schema = {"oneOf": pets, "discriminator": {"propertyName": "kind"}}
    assert {make(schema, DOCUMENT, turn)["kind"] for turn in range(4)} == {"Cat", "Dog"}
    schema["discriminator"] = {"propertyName": "kind", "mapping": {"dog": "#/components/schemas/Dog"}}
    assert make(schema, DOCUMENT, 1)["kind"] == "dog"


def test_a_number_or_its_text_is_a_number() -> None:
    """Where any text would do beside a number, a made-up text is what an app refuses."""
    assert make({"anyOf": [{"type": "string"}, {"type": "number"}]}, {}, 0) == 1


def test_a_schema_that_holds_itself_ends() -> None:
    """Lists in lists end; an object that must hold itself is given up."""
    assert make({"$ref": "#/components/schemas/Tree"}, DOCUMENT)["children"]
    endless = {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#/x"}}}
    with pytest.raises(CannotMakeError, match="without an end"):
        make({"$ref": "#/x"}, {"x": endless})


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 4}, "in its bounds"),
        ({"type": "string", "pattern": "^(?=.*secret)\\w{20}$"}, r"that matches \^\(\?="),
        ({"type": "integer", "minimum": "five"}, "a schema that is none"),
        (False, "allows nothing"),
        ({"oneOf": [{"type": "integer"}, {"type": "integer"}]}, "oneOf of which none"),
        ({"type": "array", "minItems": 5000}, "a list of 5000"),
        (
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "pattern": "(?!)"}}},
            "a text for a",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_said(schema: object, words: str) -> None:
    """Nothing invalid is made up: the reason names what is missing."""
    with pytest.raises(CannotMakeError, match=words):
        make(schema, {})
