"""The engine against the reference implementation of JSON Schema."""

from __future__ import annotations

from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from tests.toolkit.openapi.documents import checker

_NAMES = st.sampled_from(["a", "b", "id", "x/y"])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 12), st.sampled_from(["", "a", "ab", "abc", "12"]), st.just(0.5)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
_COUNTS = st.integers(0, 3)

_KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "const": _VALUES,
    "dependentRequired": st.dictionaries(_NAMES, st.lists(_NAMES, unique=True, max_size=2), max_size=2),
    "enum": st.lists(_SCALARS, min_size=1, max_size=4),
    "exclusiveMaximum": st.integers(0, 9),
    "exclusiveMinimum": st.integers(0, 9),
    "maxItems": _COUNTS,
    "maxLength": _COUNTS,
    "maxProperties": _COUNTS,
    "maximum": st.integers(0, 9),
    "minItems": _COUNTS,
    "minLength": _COUNTS,
    "minProperties": _COUNTS,
    "minimum": st.integers(0, 9),
    "multipleOf": st.integers(1, 4),
    "pattern": st.sampled_from(["^a", "b$", "^[0-9]+$", "^.{2}$"]),
    "required": st.lists(_NAMES, unique=True, max_size=2),
    "type": _TYPES | st.lists(_TYPES, unique=True, min_size=1, max_size=3),
    "uniqueItems": st.booleans(),
}


_ONES = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then",
         "unevaluatedItems", "unevaluatedProperties")  # fmt: skip
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = {"dependentSchemas": _NAMES, "patternProperties": st.sampled_from(["^a", "d$"]), "properties": _NAMES}
_LEAVES = st.sampled_from([
    True, False, {"$ref": "#/components/schemas/Pet"}, {"$ref": "#/components/schemas/Tree"},
])  # fmt: skip
_COUNTED = {"maxContains": _COUNTS, "minContains": _COUNTS}


@st.composite
def schemas(draw: st.DrawFn, depth: int = 3) -> Any:
    """A schema of a few keywords, most of them of one kind of value so that they have something to say."""
    if depth < 3 and draw(st.integers(0, 4)) == 0:
        return draw(_LEAVES)
    assertions = _KEYWORDS | _COUNTED
    schema = {name: draw(assertions[name]) for name in draw(_some(sorted(assertions), 2))}
    if depth == 0:
        return schema
    inner = schemas(depth - 1)
    for name in draw(_some([*_ONES, *_LISTS, *_MAPS], 3)):
        if name in _ONES:
            schema[name] = draw(inner)
        elif name in _LISTS:
            schema[name] = draw(st.lists(inner, min_size=1, max_size=3))
        else:
            schema[name] = draw(st.dictionaries(_MAPS[name], inner, max_size=2))
    return schema


def _some(names: list[str], most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), unique=True, max_size=most)


COMPONENTS: dict[str, object] = {
    "Pet": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["id"]},
    "Tree": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}, "maxItems": 2},
}


@given(schema=schemas(), values=st.lists(_VALUES, min_size=1, max_size=6))
def test_a_value_is_valid_iff_the_reference_says_so(schema: Any, values: list[Any]) -> None:
    """What the engine accepts and refuses is what JSON Schema does, and it always has a reason."""
    reference = jsonschema.Draft202012Validator(
        {"$ref": "#/schema", "schema": schema, "components": {"schemas": COMPONENTS}}
    )
    ours = checker(schema, COMPONENTS)
    for value in values:
        wrong = ours.wrong(value)
        assert (not wrong) == reference.is_valid(value), (schema, value, wrong)
        assert all(rule != "schema" for _, rule in wrong), (schema, value, wrong)
