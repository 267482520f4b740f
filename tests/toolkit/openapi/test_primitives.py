"""What text stands for, by the types that a schema allows."""

from __future__ import annotations

import json
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.primitives import LONGEST, readings
from tests.toolkit.openapi.reading import one, read


@pytest.mark.parametrize(
    ("text", "types", "expected"),
    [
        ("5", ["integer"], [5]),
        ("-0", ["integer"], [0]),
        ("5", ["number"], [5]),
        ("5.0", ["number"], [5.0]),
        ("-1.5e-3", ["number"], [-0.0015]),
        ("5", ["string"], ["5"]),
        ("true", ["boolean"], [True]),
        ("true", ["string"], ["true"]),
        ("", ["null"], [None]),
        ("null", ["null", "string"], [None, "null"]),
        ("5", ["integer", "string"], [5, "5"]),
        ("true", ["boolean", "string"], [True, "true"]),
        ("5", ["null", "integer", "number", "boolean", "string"], [5, "5"]),
        ("x", ["integer", "boolean"], ["x"]),
    ],
)
def test_a_text_is_read_by_the_types(text: str, types: list[str], expected: list[object]) -> None:
    """The narrowest type comes first, and a text that fits none stays text for the schema to refuse."""
    found = readings(text, frozenset(types))
    assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize(
    "text",
    [
        *("+1", "01", "1_000", "NaN", "nan", "Infinity", "-Infinity", " 1", "1 ", "1\n", "٣", "１", "0x1"),
        *("1.", ".5", "1e", "--1", "-", "", "1,000", "1e400", "true1", "9" * (LONGEST + 1)),
    ],
)
@pytest.mark.parametrize("type_", ["integer", "number"])
def test_what_only_python_takes_for_a_number_is_none(text: str, type_: str) -> None:
    """The grammar is that of JSON, so that no parser behind it reads another number."""
    assert readings(text, frozenset([type_])) == [text]


@pytest.mark.parametrize("text", ["True", "TRUE", "1", "0", "yes", "on", "t", ""])
def test_what_only_frameworks_take_for_a_boolean_is_none(text: str) -> None:
    """There are two booleans."""
    assert readings(text, frozenset(["boolean"])) == [text]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none())
def test_what_json_writes_is_read(value: object) -> None:
    """Whatever a JSON writer makes of a scalar is that scalar again, of the same type."""
    found = readings(json.dumps(value), frozenset(["null", "integer", "number", "boolean", "string"]))[0]
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": ["integer", "string"], "maxLength": 3}, "5", 5),
        ({"anyOf": [{"type": "integer", "maximum": 10}, {"type": "string"}]}, "11", "11"),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({"enum": [1, "1", True]}, "1", 1),
        ({"type": "string", "enum": ["true"]}, "true", "true"),
        ({"type": ["null", "string"], "enum": ["", "x"]}, "", ""),
        ({"type": ["null", "string"]}, "", None),
        ({"oneOf": [{"type": "boolean"}, {"type": "string", "minLength": 6}]}, "true", True),
        ({"type": "array", "items": {"enum": [1, "2"]}}, "1&color=2", [1, "2"]),
        (
            {"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "integer"}]},
            "1&color=2",
            [1, 2],
        ),
        ({"oneOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "integer"}]}, "1", 1),
        ({"oneOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "boolean"}]}, "1", [1]),
        (
            {"type": "array", "items": {"anyOf": [{"type": "integer", "maximum": 5}, {"type": "string"}]}},
            "9&color=5&color=8",
            ["9", 5, "8"],
        ),
        ({}, "5", 5),
    ],
)
def test_another_reading_is_tried_where_one_is_invalid(
    schema: dict[str, Any], text: str, value: object
) -> None:
    """A text that could be several things is what the schema allows, member by member."""
    found = read(one("query", "color", schema), "query", f"color={text}")
    assert found.violations == ()
    assert repr(found.values["query"]["color"]) == repr(value)


def test_what_no_reading_makes_right_is_told_of_the_likeliest() -> None:
    """The client's developer hears what is wrong with the number that was meant."""
    schema = {"anyOf": [{"type": "integer", "maximum": 10}, {"type": "string", "maxLength": 1}]}
    found = read(one("query", "color", schema), "query", "color=11")
    assert found.values["query"] == {}
    assert [violation.pointer for violation in found.violations] == ["/color"]


def test_readings_are_not_tried_for_ever() -> None:
    """Each member could be text as well, and twenty at a time turn out to have to be."""
    schema = {"type": "array", "items": {"anyOf": [{"type": "integer", "maximum": 1}, {"type": "string"}]}}
    reader = one("query", "color", schema)
    assert read(reader, "query", "&".join(["color=2"] * 50)).values == {"query": {"color": ["2"] * 50}}
    query = "&".join(["color=2"] * 5_000)
    assert min(timeit.repeat(lambda: read(reader, "query", query), number=1, repeat=3)) < 1
    assert {each.rule for each in read(reader, "query", query).violations} == {"maximum"}
