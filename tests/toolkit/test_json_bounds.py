"""The depth of JSON is what a parser would find, and strict JSON is what RFC 8259 allows."""

from __future__ import annotations

import itertools
import json
import time
import timeit
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.json_bounds import Depth, flaw_in, is_deeper

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[]{}"\\a', max_size=4), inner, max_size=3)
    ),
    max_leaves=15,
)


def depth_of(value: Any) -> int:
    """Levels of arrays and objects, by walking the document."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(JSON, st.booleans(), st.integers(0, 6))
def test_the_depth_is_the_documents(document: Any, ascii_only: bool, bound: int) -> None:
    """Brackets in strings, escapes and names do not count; all others do."""
    text = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert is_deeper(text, bound) == (depth_of(document) > bound)


@given(JSON, st.booleans(), st.integers(0, 6), st.lists(st.integers(1, 9), min_size=1))
def test_the_pieces_make_no_difference(document: Any, ascii_only: bool, bound: int, sizes: list[int]) -> None:
    """A text that is cut anywhere, within strings and escapes too, is as deep as it is whole."""
    text = json.dumps(document, ensure_ascii=ascii_only).encode()
    depth, at, found = Depth(bound), 0, False
    for size in itertools.cycle(sizes):
        if at >= len(text) or found:
            break
        found = depth.exceeds(text[at : at + size])
        at += size
    assert found == (depth_of(document) > bound)


@given(st.text('[]{}"\\a', max_size=60), st.integers(0, 5), st.integers(1, 7))
def test_broken_json_in_pieces_is_the_same(text: str, bound: int, size: int) -> None:
    """Whatever the brackets, quotes and backslashes are, only their order counts."""
    whole = text.encode()
    pieces = Depth(bound)
    found = any(pieces.exceeds(whole[at : at + size]) for at in range(0, len(whole), size))
    assert found == Depth(bound).exceeds(whole) == is_deeper(whole, bound)


@given(
    st.lists(st.sampled_from(["\\n", "\\\\", '\\"', "[", "x"]), min_size=1, max_size=4), st.integers(60, 68)
)
def test_however_many_escapes_there_are(last: list[str], harmless: int) -> None:
    """An escaped quote behind many other escapes ends no string, and one that is not escaped does."""
    string = "\\n" * harmless + "".join(last)
    text = f'["{string}", [1]]'.encode()
    assert is_deeper(text, 1)
    assert not Depth(2).exceeds(text)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b"[[1],", b'["]",'])
def test_a_million_levels_take_five_milliseconds(opening: bytes) -> None:
    """What is far too deep is found out at once, without recursion."""
    text = opening * 1_000_000
    assert min(timeit.repeat(lambda: is_deeper(text, 64), number=1, repeat=5)) < 0.005


@pytest.mark.parametrize("text", [b'"', b'"\\', b'["\\u005b', b"]]]]", b"", b"\\", b'\\"[[[[', b"\xff\x00"])
def test_broken_json_is_no_trouble(text: bytes) -> None:
    """What is no JSON gets an answer and no exception."""
    assert not is_deeper(text, 5)


@pytest.mark.parametrize("attack", [b"[", b'"', b"\\", b'\\"', b'"\\', b"[]", b'"[', b"{}"])
def test_megabytes_of_anything_take_no_time(attack: bytes) -> None:
    """The largest body that is let through is judged in one pass."""
    started = time.thread_time()
    is_deeper(attack * (4_000_000 // len(attack)), 64)
    assert time.thread_time() - started < 1


@given(JSON, st.booleans())
def test_what_python_writes_is_strict(document: Any, ascii_only: bool) -> None:
    """Every document that a serializer writes is without a flaw."""
    assert flaw_in(json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "replace")) is None


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "broken"),
        (b"{", "broken"),
        (b"[1,]", "broken"),
        (b"[01]", "broken"),
        (b"{'a': 1}", "broken"),
        (b"[1] [2]", "broken"),
        (b'["\t"]', "broken"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "NaN"),
        (b"[1e400]", "too large"),
        (b"[" + b"1" * 129 + b"]", "too long"),
        (b"[0." + b"1" * 129 + b"]", "too long"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'{"a": 1, "\\u0061": 1}', "twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
    ],
)
def test_a_flaw_is_named_without_the_value(text: bytes, word: str) -> None:
    """The sentence says what is wrong and repeats nothing that was sent."""
    assert word in (flaw_in(text) or "")


@pytest.mark.parametrize("text", [b"\xef\xbb\xbf{}", b'["\\ud83d\\ude00"]', b"-0.0", b' "x" ', b"1E+2"])
def test_the_corners_of_json_are_allowed(text: bytes) -> None:
    """A byte order mark, a whole surrogate pair and a bare value are legal."""
    assert flaw_in(text) is None
