"""Patterns that browsers take, and Rust's engine not or otherwise."""

from __future__ import annotations

from time import thread_time

import pytest

from tests.toolkit.openapi.documents import checker


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^[\w-.+]+$", "a-b.c", "a/b"),
        (r"^[+-\w]+$", "+-a", "*"),
        (r"^[a-z-\d]+$", "a-1", "A"),
        (r"^\w-\d$", "a-1", "a1"),
        (r"^[^\000-\037]+$", "a b", "\x1f"),
        (r"^\0$", "\0", "0"),
        (r"^to {Name}$", "to {Name}", "to Name"),
        (r"^[{}]$", "{", "a"),
        (r"^a{2,3}$", "aa", "a"),
        (r"^\{a\}$", "{a}", "a"),
        (r"^\\{2}$", "\\\\", "\\"),
        (r"^\p{Lu}{2}$", "AB", "ab"),
        (r"^\<a\>$", "<a>", "a"),
        (r"^[\uD83D\uDE00-\uD83D\uDE10]$", "\U0001f600", "u"),
        (r"^\u{1F600}$", "\U0001f600", "u"),
    ],
)
def test_patterns_mean_what_they_mean_in_a_browser(pattern: str, good: str, bad: str) -> None:
    """Documents have been written with these for years, and whoever uses one cannot change it."""
    check = checker({"pattern": pattern})
    assert check.fits(good)
    assert not check.fits(bad)
    names = checker({"patternProperties": {pattern: {}}, "additionalProperties": False})
    assert names.fits({good: 1})
    assert not names.fits({bad: 1})


def test_a_pattern_of_many_characters_takes_no_time() -> None:
    """The engine remembers its states; without room for them it takes hundreds of times as long for each."""
    one, many = checker({"pattern": r"\p{L}\d"}), checker({"pattern": r"\p{L}{50,100}\d"})
    least = {}
    for check in (one, many):
        runs = []
        for _ in range(5):
            begun = thread_time()
            assert not check.fits("\u00e9a" * 50_000)
            runs.append(thread_time() - begun)
        least[check] = min(runs)
    assert least[many] < 20 * least[one]
