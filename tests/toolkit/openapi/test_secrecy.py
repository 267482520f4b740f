"""Nothing that a client sent is in what is said about it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.toolkit.openapi.documents import checker
from tests.toolkit.openapi.test_agreement import COMPONENTS, schemas

_CANARIES = st.integers(0, 9).map(lambda number: f"canary{number}")
_LEAVES = _CANARIES | st.integers(7_000_000, 7_000_009) | st.none() | st.just(7_000_000.5)
_NAMES = st.sampled_from(["a", "b", "id", "x/y"]) | _CANARIES
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(schema=schemas(), values=st.lists(_VALUES, min_size=1, max_size=4))
def test_no_value_and_no_name_comes_back(schema: Any, values: list[Any]) -> None:
    """Whatever the schema: neither a text nor a number, nor a name that the document does not have."""
    check = checker(schema, COMPONENTS)
    for value in values:
        said = str(check.violations(value))
        assert "canary" not in said, (schema, value)
        assert "70000" not in said, (schema, value)
