"""Values that must be one of several."""

from __future__ import annotations

from time import thread_time
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toolkit.openapi.documents import checker

_LONG = 2**70

_NUMBERS = [0, 1, 0.0, 1.0, 0.5, _LONG, float(_LONG), _LONG + 1, 2**63, 2**53]
_SCALARS = st.sampled_from([*_NUMBERS, True, False, None, "", "a", "1", "0x1"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(members=st.lists(_VALUES, min_size=1, max_size=8), value=_VALUES)
def test_values_are_compared_as_the_reference_does(members: list[Any], value: Any) -> None:
    """1 is 1.0 and not true, the order of names does not matter, and long integers are exact."""
    schema = {"enum": [*members, "x", "y", 0.25]}
    fits = jsonschema.Draft202012Validator(schema).is_valid(value)
    found = checker(schema)
    assert found.wrong(value) == ([] if fits else [("", "enum")])
    assert all(found.fits(member) for member in schema["enum"])


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ([number + 0.5 for number in range(1_000)], 999.5),
        (list(range(1_000)), 999.0),
        ([_LONG + number for number in range(1_000)], _LONG + 999),
        ([text for number in range(500) for text in (number, f"value {number}")], 499),
        ([{"name": "a", "number": number} for number in range(1_000)], {"name": "a", "number": 999}),
        ([["a", number] for number in range(1_000)], ["a", 999]),
        ([number / 2 for number in range(10)], 4.5),
    ],
)
def test_many_values_take_no_more_time(members: list[object], sent: object) -> None:
    """10,000 items, compared with a thousand members each, would hold the process for half a minute."""
    check = checker({"items": {"enum": members}})
    begun = thread_time()
    assert check.fits([sent] * 10_000)
    assert not check.fits([sent] * 10_000 + ["none"])
    assert thread_time() - begun < 1


def test_nothing_is_looked_at_that_has_another_length() -> None:
    """A large value around which a recursive schema tries an `enum` at every level."""
    deep: object = list(range(20_000))
    for _ in range(200):
        deep = [deep, "x"]
    node = {"anyOf": [{"enum": [[1], [2], [3]]}, {"type": "string"}, {"$ref": "#/components/schemas/nodes"}]}
    nodes = {"type": "array", "items": {"anyOf": [{"type": "integer"}, node]}}
    check = checker({"$ref": "#/components/schemas/nodes"}, {"nodes": nodes})
    begun = thread_time()
    assert check.fits(deep)
    assert thread_time() - begun < 1


def test_a_value_that_is_nested_deeply_is_none_of_them() -> None:
    """Another alternative may take it."""
    deep: object = [1]
    for _ in range(900):
        deep = [deep]
    members = [[1], [2], [[3]]]
    assert checker({"anyOf": [{"enum": members}, {"type": "array"}]}).fits(deep)
    assert not checker({"enum": members}).fits(deep)


def test_what_is_wrong_names_the_values() -> None:
    """As for every `enum`, of which the client sees how it is looked up as little as of any other."""
    (violation,) = checker({"properties": {"size": {"enum": [1, 2.5, "large"]}}}).violations({"size": 2})
    assert violation[1:] == ("/size", "enum", "Must be one of 1, 2.5 or large.")


def test_null_is_one_of_them_where_it_is_allowed() -> None:
    """In OpenAPI 3.0 `nullable` is meant beside `enum`."""
    one = {"type": "integer", "enum": [1, 2, 3, *range(5, 1_000)], "nullable": True}
    for schema in (one, {**one, "allOf": [{}]}):
        check = checker({"items": schema}, version="3.0.3")
        begun = thread_time()
        assert check.fits([999.0, None] * 5_000)
        assert thread_time() - begun < 0.5
        check = checker(schema, version="3.0.3")
        assert [value for value in (None, 3.0, 4, True) if check.fits(value)] == [None, 3.0]
    with_null = checker({"enum": [None, 1, 2, 3]}, version="3.0.3")
    assert (with_null.fits(None), with_null.fits(0)) == (True, False)
