"""Arrays that must have no member twice."""

from __future__ import annotations

from time import thread_time
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.uniqueness import are_unique
from tests.toolkit.openapi.documents import checker

_LONG = 2**70

_NUMBERS = st.sampled_from(
    [0, 1, True, False, 0.0, 1.0, 0.5, None, _LONG, float(_LONG), _LONG + 1, 2**63, 2**53]
)
_VALUES = st.recursive(
    _NUMBERS | st.sampled_from(["", "a", "1", "0x1", "None"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@given(members=st.lists(_VALUES, max_size=6))
def test_members_are_compared_as_the_reference_does(members: list[Any]) -> None:
    """1 is 1.0 and not true, the order of names does not matter, and long integers are exact."""
    reference = jsonschema.Draft202012Validator({"uniqueItems": True}).is_valid
    assert are_unique(members) == reference(members)
    assert are_unique([*members, _LONG + 2]) == reference([*members, _LONG + 2])


@pytest.mark.parametrize("wrapped", [False, True])
def test_long_integers_take_no_more_time(wrapped: bool) -> None:
    """20,000 of them, compared with each other one by one, would hold the process for minutes."""
    members = [{"id": _LONG + number} if wrapped else _LONG + number for number in range(20_000)]
    check = checker({"properties": {"ids": {"uniqueItems": True}}})
    begun = thread_time()
    assert check.fits({"ids": members})
    assert check.wrong({"ids": [*members, members[0]]}) == [("/ids", "uniqueItems")]
    assert thread_time() - begun < 1


def test_nothing_is_compared_where_that_is_not_wanted() -> None:
    """`uniqueItems: false` says nothing, and what is no array has no members."""
    assert checker({"uniqueItems": False}).fits([_LONG, _LONG])
    assert checker({"uniqueItems": True}).fits("aa")
