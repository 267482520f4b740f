"""Paths that routers may take for one another."""

from __future__ import annotations

import pytest

from garrison.rules import parse_rules
from garrison.spellings import first_fits, readings, widened

RULES = widened((rule, rule.value) for rule in parse_rules("POST /Login: a; /api/*: b; /items/: c; /: d; e"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", ["/a/b"]),
        ("/a/b/", ["/a/b/"]),
        ("/A%20b", ["/a%20b"]),
        ("/a b", ["/a b"]),
        ("/a\n", ["/a\n", "/a"]),
        ("//a///b//", ["//a///b//", "/a/b/"]),
        ("/a;x=1/b", ["/a;x=1/b", "/a/b"]),
        ("/a/./b", ["/a/./b", "/a/b"]),
        ("/a/../b", ["/a/../b", "/b"]),
        ("/../..", ["/../..", "/"]),
        ("", ["", "/"]),
    ],
)
def test_readings_of_a_path(path: str, expected: list[str]) -> None:
    """A plain path is read in one way, and any other one in those that routers and file servers have."""
    assert list(readings(path)) == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/login", ["a"]),
        ("post", "/LOGIN/", ["a"]),
        ("POST", "//login", ["e", "a"]),
        ("GET", "/login", ["e"]),
        ("GET", "/API/x", ["b"]),
        ("GET", "/api/", ["b"]),
        ("GET", "/api/../x", ["b", "e"]),
        ("GET", "/x/../api/y", ["e", "b"]),
        ("GET", "/items", ["c"]),
        ("GET", "/", ["d"]),
        ("GET", "//", ["e", "d"]),
    ],
)
def test_a_request_has_a_rule_for_each_reading(method: str, path: str, expected: list[str]) -> None:
    """Whichever router reads it, its rule is among those that are found."""
    assert first_fits(RULES, method, path) == expected


def test_no_rule_for_a_reading() -> None:
    """A reading that no rule is about is told too."""
    assert first_fits(RULES[:2], "POST", "//login") == [None, "a"]
