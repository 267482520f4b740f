"""Lists of requests, one a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.requests.listing import ListFault, parse_list, read_list
from garrison_harness.load.requests.spec import FRESH

if TYPE_CHECKING:
    from pathlib import Path

LIST = """\
# What people look at most.
GET /items?page=2
GET /items/{id}  weight=5 tag=read,item tag=hot name="one item" expect=404,410

POST /items
  X-Version: 2
  {"name": "tea {{number}}",

   "size": 1}
PUT /text

  name: no header, since an empty line ended those
"""


def test_a_list_is_read() -> None:
    """Weight, name, tags, expected statuses, headers and bodies are what the file says."""
    first, second, third, fourth = parse_list(LIST, source="list")
    assert (first.method, first.path, first.name, first.weight) == ("GET", "/items", "/items", 1)
    assert (first.examples[0].query, first.tags) == ("page=2", ("read",))
    assert (second.name, second.weight, second.expect) == ("one item", 5, (404, 410))
    assert second.tags == ("read", "item", "hot")
    assert second.takes == "/items/{}"
    assert third.examples[0].body == f'{{"name": "tea {FRESH}",\n\n "size": 1}}'
    assert third.examples[0].headers == (("X-Version", "2"), ("Content-Type", "application/json"))
    assert (fourth.tags, fourth.examples[0].body) == (
        ("write",),
        "name: no header, since an empty line ended those",
    )
    assert fourth.examples[0].headers == (("Content-Type", "text/plain; charset=utf-8"),)


def test_numbers_are_new_each_time() -> None:
    """`{{number}}` is another one in each request, in path, query, header and body alike."""
    (spec,) = parse_list("POST /a/{{number}}?b={{number}}\n  X-C: {{number}}\n  {{number}}\n", source="list")
    example = spec.examples[0].renewed("10000001")
    assert spec.target(example).replace(FRESH, "10000001") == "/a/10000001?b=10000001"
    assert (example.headers[0], example.body) == (("X-C", "10000001"), "10000001")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("GET", 1, "expected a method and a path"),
        ("\nget /", 2, "expected one of GET"),
        ("GET items", 1, "expected a path such as"),
        ("GET //host/", 1, "expected a path such as"),
        ("GET /a b", 1, "expected weight=..., name=..., tag=..., expect=..."),
        ("GET / weight=0", 1, "expected a weight of 1 to 1000, found '0'"),
        ("GET / expect=200", 1, "expected a status from 400 to 599, found '200'"),
        ('GET / name="a', 1, "quotes come in pairs"),
        ("  {}", 1, "belongs to a request above it"),
        ("GET /\nPOST /\n  Host: a", 2, "Host is for the client to write"),
        ("GET /\n  X-A: ü", 1, "a header holds ASCII only (line 2)"),
        (
            "GET /\n\nDELETE /items/{id}",
            3,
            "no request of the list gives {id}: write it out, or add POST or GET /items",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, line: int, words: str) -> None:
    """The fault says in which line what was expected."""
    with pytest.raises(ListFault) as fault:
        parse_list(text, source="my.list")
    assert str(fault.value).startswith(f"my.list, line {line}: ")
    assert words in str(fault.value)
    assert "\n" not in str(fault.value)


def test_files_that_hold_no_list(tmp_path: Path) -> None:
    """A file that is missing, is no text or lists nothing is one clear line."""
    with pytest.raises(ListFault, match=r"cannot read .*: No such file"):
        read_list(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff")
    with pytest.raises(ListFault, match="is no text in UTF-8"):
        read_list(tmp_path / "binary")
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(ListFault, match="lists no request"):
        read_list(tmp_path / "empty")
