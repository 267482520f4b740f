"""Parameters, written as their style wants them."""

from __future__ import annotations

from typing import Any

import pytest

from garrison_harness.load.requests.parameters import (
    Parameter,
    in_path,
    in_query,
    is_sent,
    parameters_in,
    plain,
    value_of,
)
from garrison_harness.load.requests.values import CannotMakeError


def parameter(place: str = "query", **holder: Any) -> Parameter:
    """A parameter called `p`."""
    found = parameters_in([{"name": "p", "in": place, **holder}], {})
    assert len(found) == 1
    return found[0]


# The table of OpenAPI 3.1, Style Examples.
@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("simple", False, "a b/ü", "a%20b%2F%C3%BC"),
        ("simple", False, [1, 2], "1,2"),
        ("simple", False, {"R": 100, "G": 200}, "R,100,G,200"),
        ("simple", True, {"R": 100, "G": 200}, "R=100,G=200"),
        ("label", False, "blue", ".blue"),
        ("label", True, ["a", "b"], ".a.b"),
        ("matrix", False, "blue", ";p=blue"),
        ("matrix", False, ["a", "b"], ";p=a,b"),
        ("matrix", True, {"R": 100, "G": 200}, ";R=100;G=200"),
        ("matrix", True, ["a", "b"], ";p=a;p=b"),
        ("simple", False, True, "true"),
    ],
)
def test_path_styles(style: str, explode: bool, value: Any, written: str) -> None:
    """A parameter of the path stands there as its style says, percent-encoded."""
    assert in_path(parameter("path", style=style, explode=explode), value) == written


@pytest.mark.parametrize("value", ["", ".", "..", []])
def test_an_empty_part_of_a_path_is_none(value: Any) -> None:
    """What would make another path is not sent."""
    with pytest.raises(CannotMakeError, match="empty part of a path"):
        in_path(parameter("path"), value)


@pytest.mark.parametrize(
    ("holder", "value", "written"),
    [
        ({}, "a&b", ["p=a%26b"]),
        ({}, [1, 2], ["p=1", "p=2"]),
        ({"explode": False}, [1, 2], ["p=1,2"]),
        ({"style": "spaceDelimited"}, [1, 2], ["p=1%202"]),
        ({"style": "pipeDelimited"}, [1, 2], ["p=1%7C2"]),
        ({"style": "deepObject"}, {"R": 1, "G": 2}, ["p%5BR%5D=1", "p%5BG%5D=2"]),
        ({}, {"R": 1, "G": 2}, ["R=1", "G=2"]),
        ({"explode": False}, {"R": 1}, ["p=R,1"]),
        ({"content": {"application/json": {"schema": {}}}}, {"a": [1]}, ["p=%7B%22a%22%3A%20%5B1%5D%7D"]),
    ],
)
def test_query_styles(holder: dict[str, Any], value: Any, written: list[str]) -> None:
    """A parameter of the query is written as its style says."""
    assert in_query(parameter(**holder), value) == written


def test_a_header_holds_ascii_only() -> None:
    """What no header can hold is not sent."""
    assert plain(parameter("header"), ["a", 1]) == "a,1"
    with pytest.raises(CannotMakeError, match="header parameter p"):
        plain(parameter("header"), "ü")


def test_required_parameters_are_sent_and_safe_ones_now_and_then() -> None:
    """A cursor or a page number that was made up would be an error of the load's own making."""
    assert all(is_sent(parameter(required=True), {}, turn) for turn in range(2))
    sent = {
        "limit": {"type": "integer", "minimum": 1, "maximum": 50},
        "sort": {"enum": ["up", "down"]},
        "page": {"type": "integer", "minimum": 1, "maximum": 50},
        "q": {"type": "string"},
    }
    found = parameters_in(
        [{"name": name, "in": "query", "schema": schema} for name, schema in sent.items()], {}
    )
    assert [one.name for one in found if is_sent(one, {}, 0)] == []
    assert [one.name for one in found if is_sent(one, {}, 1)] == ["limit", "sort"]


def test_an_operation_overrides_the_parameters_of_its_path() -> None:
    """The later of two parameters of one name and place counts; some headers are none."""
    listed = [
        {"name": "p", "in": "query", "example": 1},
        {"name": "p", "in": "query", "example": 2},
        {"name": "Accept", "in": "header"},
        "nonsense",
        {"in": "query"},
    ]
    assert [value_of(one, {}, 0) for one in parameters_in(listed, {})] == [2]
