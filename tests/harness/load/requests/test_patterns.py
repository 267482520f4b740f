"""Texts that patterns match."""

from __future__ import annotations

import re

import pytest

from garrison_harness.load.requests.patterns import NotSimpleError, text_for

PATTERNS = [
    r"^[A-Z]{2}-\d{4}$",
    r"^(?:a|bc)+$",
    r"^(?<year>\d{4})-(\d\d)$".replace("?<", "?P<"),
    r"^\w+@\w+\.com$",
    r"^[^/]+$",
    r"^[a-f0-9]{8}(-[a-f0-9]{4}){3}$",
    r"^a{0,2}b*c?$",
    r"^\$\d+\.\d{2}$",
    r"^[\w.-]{3,}$",
    r"^[+-]?[0-9]+$",
    r"^x|y$",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$",
    r"^\S+\s\S+$",
    r"[\]\\]",
    r"^.{5}$",
    r"^\u0041$",
]


@pytest.mark.parametrize("pattern", PATTERNS[:-1])
@pytest.mark.parametrize("more", [0, 3])
def test_made_texts_match(pattern: str, more: int) -> None:
    """What is made is what the pattern describes, with few repetitions and with more."""
    readable = pattern.replace("?P<", "?<")
    for turn in range(5):
        assert re.search(pattern, text_for(readable, turn, more)), turn


@pytest.mark.parametrize(
    "pattern",
    [r"^(?=a)", r"(?!x)", r"(a)\1", r"\bword\b", r"\p{L}+", "(", "[", "a{x}", "*", "[z-a]", "(?<=a)b", "\\"],
)
def test_what_is_not_simple_is_left_alone(pattern: str) -> None:
    """Look-aheads, back references and what is no pattern are not guessed at."""
    with pytest.raises(NotSimpleError):
        text_for(pattern, 0)
