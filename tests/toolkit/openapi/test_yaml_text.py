"""YAML as OpenAPI means it."""

from __future__ import annotations

from time import thread_time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.model import DocumentError
from garrison.openapi.yaml_text import parse_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 2020-01-01T12:30:00Z", {"a": "2020-01-01T12:30:00Z"}),
        ("a: 12:30:45", {"a": "12:30:45"}),
        ("200: yes\n2.50: no", {"200": "yes", "2.50": "no"}),
        ("true: on\nnull: off", {"true": "on", "null": "off"}),
        ("a: [true, False, null, ~, , Null]".replace(", ,", ","), {"a": [True, False, None, None, None]}),
        ("a: [12, -3, +4, 010, 0o17, 0xfF]", {"a": [12, -3, 4, 10, 15, 255]}),
        ("a: [1.5, .5, -1e3, 1., 6.02e+23]", {"a": [1.5, 0.5, -1000.0, 1.0, 6.02e23]}),
        ("a: ['12', \"true\", !!str 5, ! 5]", {"a": ["12", "true", "5", "5"]}),
        ("a: !!int 5\nb: !!float 5\nc: !!null ~\nd: !!bool true", {"a": 5, "b": 5, "c": None, "d": True}),
        ("a: .inf", {"a": ".inf"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a:\nb: ", {"a": None, "b": None}),
        ("a: |\n  two\n  lines\nb: >\n  one\n  line\n", {"a": "two\nlines\n", "b": "one line\n"}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("&x a: 1\nb: *x", {"a": 1, "b": "a"}),
        ("a: &x 5\nb: *x", {"a": 5, "b": 5}),
        ("a: &x [1]\nb: [*x, *x]", {"a": [1], "b": [[1], [1]]}),
        ("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n", {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}}),
        ("a: {<<: [{b: 1}, {b: 2, c: 3}]}", {"a": {"b": 1, "c": 3}}),
        ('a: {"<<": 1}', {"a": {"<<": 1}}),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
        ("", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    """Dates and times stay text, keys become text, and nothing but true and false is a boolean."""
    assert parse_yaml(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' twice in line 3, column 1"),
        ("a: {200: 1, '200': 2}", "the key '200' twice"),
        ("a: 1\n b: 2", "mapping values are not allowed"),
        ("a: [1", "in line 2, column 1"),
        ("a: *b", "the alias"),
        ("a: &x [*x]", "the alias \\*x for nothing that is complete in line 1"),
        ("a: !!python/object/apply:os.system ['true']", "the tag tag:yaml.org,2002:python"),
        ("a: !secret b", "the tag !secret"),
        ("a: !!int b", "the tag !!int at 'b'"),
        ("a: !!timestamp 2020-01-01", "the tag !!timestamp"),
        ("? [a]\n: b", "a key that is no text"),
        ("a: &x b\n*x : c", "a key that is no text"),
        ("a: 1\n---\nb: 2", "a second document"),
        ("a: {<<: 5}", "a merge key << with what is no object"),
        ("a: \x01", "not allowed"),
        ("a: '\\ud800'\n\x00", "not allowed"),
    ],
)
def test_what_is_ambiguous_or_dangerous_is_refused(text: str, found: str) -> None:
    """With the line, in one sentence."""
    with pytest.raises(DocumentError, match=found):
        parse_yaml(text.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    """In no encoding that YAML has."""
    with pytest.raises(DocumentError, match="expected YAML"):
        parse_yaml(b"a: \xff\xfe\xfd")


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(12)),
        "a0: &a0 {k: x}\n"
        + "\n".join(f"a{n + 1}: &a{n + 1} {{a: *a{n}, b: *a{n}}}" for n in range(40)),
        "a0: &a0 {k: x}\n"
        + "\n".join(f"a{n + 1}: &a{n + 1} {{<<: *a{n}, b{n}: *a{n}}}" for n in range(40)),
        "[" * 100_000,
        "a: " * 3 + "{a: " * 100_000,
    ],
    ids=["laughs", "doubling", "merging", "brackets", "braces"],
)  # fmt: skip
def test_a_bomb_does_not_go_off(text: str) -> None:
    """What would fill the memory or the stack is refused at once."""
    begun = thread_time()
    with pytest.raises(DocumentError, match="YAML"):
        parse_yaml(text.encode())
    assert thread_time() - begun < 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(_JSON)
def test_what_was_written_is_read(value: Any) -> None:
    """Any value of JSON survives being written as YAML and read again."""
    text = yaml.safe_dump(value)
    assert parse_yaml(text.encode()) == value
