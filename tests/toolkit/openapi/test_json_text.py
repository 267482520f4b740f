"""JSON is read as the app reads it, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import orjson
import pydantic_core
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.json_text import JSONTextError, exact, is_deeper, parse, read

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_whatever_the_app_reads_is_read_alike(value: object) -> None:
    """Numbers of any length and all text come out as Python's own parser has them."""
    text = json.dumps(value).encode()
    assert read(text) == json.loads(text)
    assert repr(read(text)) == repr(json.loads(text))


@given(st.binary(max_size=40) | st.text('[]{}:,"\\u0d8eE+-.1 \t', max_size=20).map(str.encode))
def test_what_is_accepted_means_the_same_to_the_app(text: bytes) -> None:
    """There is no text that has one value here and another one behind."""
    try:
        value = read(text)
    except JSONTextError:
        return
    assert repr(value) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"1" * 400,
        b"1" * 5000,
        b"[1,]",
        b"{'a': 1}",
        b"01",
        b'"\t"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"[] []",
        '{"a": 1}'.encode("utf-16"),
        b"\x00",
        b"[" * 1025 + b"]" * 1025,
        b"[" * 1_000_000,
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    """Python's extensions, half characters, other encodings and endless nesting are."""
    with pytest.raises(JSONTextError) as caught:
        read(text)
    assert str(caught.value).startswith("The JSON is ")


def test_an_error_says_where() -> None:
    """The place is told, and nothing that was sent."""
    with pytest.raises(JSONTextError, match=r"^The JSON is broken at line 2, column 12\.$"):
        read(b'{"a": 1,\n "secret": tiger}')
    with pytest.raises(JSONTextError, match=r"^The JSON is not valid UTF-8\.$"):
        read(b'{"a": "\xc3"}')


def test_a_byte_order_mark_is_ignored() -> None:
    """Editors write it, and apps accept it."""
    assert read(b'\xef\xbb\xbf{"a": 1}') == json.loads(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("text", [b'{"a": 1, "a": 2}', b'{"a": 1, "\\u0061": 2}'])
def test_the_last_of_two_equal_names_counts(text: bytes) -> None:
    """That is the one which every parser of Python apps takes."""
    parsers: list[Callable[[bytes], object]] = [
        read,
        json.loads,
        orjson.loads,
        msgspec.json.decode,
        pydantic_core.from_json,
    ]
    assert [parser(text) for parser in parsers] == [{"a": 2}] * len(parsers)


def test_long_integers_are_exact_on_demand() -> None:
    """A parser that makes doubles of them is asked first, because it is the fast one."""
    text = b'[-9223372036854775809, "1234567890123456789", 18446744073709551617]'
    value = parse(text)
    assert value == [-9223372036854775808.0, "1234567890123456789", 18446744073709551616.0]
    assert exact(text, value) == [-9223372036854775809, "1234567890123456789", 18446744073709551617]


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 0), ([], 1), ({"a": 1}, 1), ([[]], 2), ({"a": [{"b": []}], "c": 1}, 4)]
)
def test_depth_counts_arrays_and_objects(value: object, depth: int) -> None:
    """A scalar has none, and an empty array one."""
    assert not is_deeper(value, depth)
    assert depth == 0 or is_deeper(value, depth - 1)


def test_a_long_integer_deep_inside_is_no_problem() -> None:
    """Python's own parser gives up earlier than the fast one, which has bounded the depth."""
    value = read(b"[" * 1020 + b"18446744073709551617" + b"]" * 1020)
    for _ in range(1020):
        assert isinstance(value, list)
        (value,) = value
    assert value in {18446744073709551617, 18446744073709551616.0}
