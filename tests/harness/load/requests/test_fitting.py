"""Whether values keep a schema, as validators of others see it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from garrison_harness.load.requests.fitting import fits

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text("ab1-", max_size=4)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
SMALL = st.integers(0, 3)
BOUND = st.integers(-3, 3)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas of the keywords that documents use."""
    some = st.lists(inner, min_size=1, max_size=2)
    by_name = st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minimum": BOUND,
            "maximum": BOUND,
            "exclusiveMinimum": BOUND,
            "exclusiveMaximum": BOUND,
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": SMALL,
            "maxLength": SMALL,
            "pattern": st.sampled_from(["^a", "b$", "[0-9]", "^[ab]{2}$"]),
            "minItems": SMALL,
            "maxItems": SMALL,
            "uniqueItems": st.booleans(),
            "items": inner,
            "prefixItems": some,
            "contains": inner,
            "minContains": SMALL,
            "maxContains": SMALL,
            "properties": by_name,
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "b"]), inner, max_size=1),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "additionalProperties": inner,
            "propertyNames": st.just({"maxLength": 0}) | st.just({"pattern": "a"}),
            "minProperties": SMALL,
            "maxProperties": SMALL,
            "dependentRequired": st.dictionaries(st.sampled_from("ab"), st.just(["c"]), max_size=1),
            "dependentSchemas": st.dictionaries(st.sampled_from("ab"), inner, max_size=1),
            "allOf": some,
            "anyOf": some,
            "oneOf": some,
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
        },
    )


SCHEMAS = st.recursive(st.booleans(), keywords, max_leaves=4)


@given(SCHEMAS, VALUES)
def test_fits_agrees_with_a_validator(schema: Any, value: Any) -> None:
    """Every keyword of JSON Schema that documents use means what the specification says."""
    assert fits(value, schema, {}) == Draft202012Validator(schema).is_valid(value)


def test_the_dialect_of_openapi_3_0() -> None:
    """`nullable` allows null, and an exclusive bound may be true or false."""
    assert fits(None, {"type": "string", "nullable": True}, {})
    assert not fits(None, {"type": "string"}, {})
    assert not fits(3, {"type": "integer", "minimum": 3, "exclusiveMinimum": True}, {})
    assert fits(3, {"type": "integer", "maximum": 3, "exclusiveMaximum": False}, {})


def test_references_are_followed() -> None:
    """A reference stands for what it leads to."""
    document = {"components": {"schemas": {"A/B": {"type": "integer"}}}}
    assert fits(1, {"$ref": "#/components/schemas/A~1B"}, document)
    assert not fits("1", {"$ref": "#/components/schemas/A~1B"}, document)
