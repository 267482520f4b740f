"""Parameters that are accepted with one look: exactly those that a closer look accepts too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.model import Head
from tests.toolkit.openapi.reading import reader_of

if TYPE_CHECKING:
    from garrison.openapi.model import Violation
    from garrison.openapi.parameters import Reader


def query(name: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A parameter in the query."""
    return {"name": name, "in": "query", "schema": schema, **more}


LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": 100})
COLOR = query("color", {"type": "string", "minLength": 1, "maxLength": 5})
EITHER = query("either", {"type": ["integer", "string"], "maxLength": 2, "maximum": 5})
SHOP = {"name": "shop", "in": "path", "schema": {"type": "integer"}}
READER = reader_of(SHOP, LIMIT, COLOR, EITHER, template="/{shop}")


def head(text: str) -> Head:
    """A request with a query."""
    return Head("GET", b"/", text.encode(), [])


def agreed(reader: Reader, text: str, values: tuple[bytes, ...] = ()) -> tuple[Violation, ...]:
    """What is wrong with a request, on which a quick and a closer look agree."""
    found = reader.check(head(text), values)
    assert found == reader.read(head(text), values).violations
    return found


@pytest.mark.parametrize(
    "text",
    ["", "limit=1", "limit=1&color=red&either=3", "color=a%2Cb", "color=a+b", "either=ab", "either=5"],
)
def test_what_is_right_is_accepted(text: str) -> None:
    """With any of its parameters, encoded or not; a text that is no number may be text."""
    assert agreed(READER, text, (b"7",)) == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("limit=0", "minimum"),
        ("limit=x", "type"),
        ("limit=1&limit=1", "repeated"),
        ("limit=1&limit=2", "repeated"),
        ("color=abcdef", "maxLength"),
        ("color=%ff", "encoding"),
        ("color=", "minLength"),
        ("page=1", "unknown"),
        ("=1", "unknown"),
        ("limit", "type"),
    ],
)
def test_what_is_wrong_is_told(text: str, rule: str) -> None:
    """One of them is enough, wherever it stands."""
    assert [violation.rule for violation in agreed(READER, text, (b"7",))] == [rule]
    assert [violation.rule for violation in agreed(READER, f"either=1&{text}", (b"7",))] == [rule]


def test_a_path_parameter_is_looked_at() -> None:
    """It is validated together with those of the query."""
    assert [violation.rule for violation in agreed(READER, "limit=1", (b"x",))] == ["type"]


def test_what_must_be_there_is_missed() -> None:
    """A required parameter that was not sent is told, even if others are right."""
    reader = reader_of({**LIMIT, "required": True}, COLOR)
    assert agreed(reader, "limit=1") == ()
    assert [violation.rule for violation in agreed(reader, "color=red")] == ["required"]
    assert [violation.rule for violation in agreed(reader, "")] == ["required"]


def test_names_are_compared_as_apps_read_them() -> None:
    """`a+b` on the wire is `a b` to an app, and so it is not the parameter of that name."""
    reader = reader_of(query("a+b", {"type": "integer"}), query("c%64", {"type": "integer"}))
    assert [violation.rule for violation in agreed(reader, "a+b=1")] == ["unknown"]
    assert [violation.rule for violation in agreed(reader, "c%64=1")] == ["unknown"]
    assert agreed(reader, "a%2Bb=1&c%2564=1") == ()
    assert agreed(READER, "%6cimit=1", (b"7",)) == ()


def test_two_parameters_with_one_schema_are_both_looked_at() -> None:
    """Neither hides the other."""
    reference = {"$ref": "#/components/schemas/Small"}
    more = {"components": {"schemas": {"Small": {"type": "integer", "maximum": 3}}}}
    reader = reader_of(query("a", reference), query("b", reference), more=more)
    assert agreed(reader, "a=1&b=2") == ()
    assert [violation.pointer for violation in agreed(reader, "a=9&b=2")] == ["/a"]
    assert [violation.pointer for violation in agreed(reader, "a=1&b=9")] == ["/b"]


def test_lists_headers_and_cookies_take_a_closer_look() -> None:
    """What is not one value in path or query is judged as ever, and so are the values beside it."""
    header = {"name": "color", "in": "header", "required": True, "schema": {"type": "integer"}}
    reader = reader_of(LIMIT, header)
    assert [violation.location for violation in agreed(reader, "limit=1")] == ["header"]
    listed = reader_of(LIMIT, query("ids", {"type": "array", "items": {"type": "integer"}, "maxItems": 2}))
    assert agreed(listed, "limit=1&ids=1&ids=2") == ()
    assert [violation.rule for violation in agreed(listed, "ids=1&ids=2&ids=3")] == ["maxItems"]


PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["limit", "color", "either", "page", "%6cimit", ""]),
        st.one_of(st.integers(-2, 120).map(str), st.text(max_size=6).map(quote_plus), st.just("%zz")),
    ),
    max_size=4,
)


@given(PAIRS, st.sampled_from([b"1", b"x", b"%31", b"%ff"]))
def test_a_quick_look_never_differs_from_a_closer_one(pairs: list[tuple[str, str]], shop: bytes) -> None:
    """Whatever the query, both say the same."""
    agreed(READER, "&".join(f"{name}={value}" for name, value in pairs), (shop,))
