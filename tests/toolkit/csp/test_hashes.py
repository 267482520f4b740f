"""Hashes of inline scripts are those that browsers compute."""

from __future__ import annotations

import pytest

from garrison import csp_hash
from garrison.csp.policy import parse_policy


@pytest.mark.parametrize("text", ["alert('Hello, world.');", b"alert('Hello, world.');"])
def test_the_hash_is_the_one_of_the_standard(text: str | bytes) -> None:
    """The example of CSP Level 3 section 8.3 comes out as it stands there, quotes included."""
    assert csp_hash(text) == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"


def test_line_ends_count_as_browsers_read_them() -> None:
    """Their parser makes one line end of every notation, before anything is hashed; other blanks count."""
    assert csp_hash("a\r\nb\rc\n") == csp_hash("a\nb\nc\n") == csp_hash(b"a\r\nb\rc\n")
    assert csp_hash("a\n") != csp_hash("a")


def test_the_hash_is_of_utf_8() -> None:
    """Whatever a page is sent in, browsers hash its text in UTF-8."""
    assert csp_hash("é") == csp_hash("é".encode())


def test_the_hash_can_stand_in_a_policy() -> None:
    """What the helper returns is a source as it is."""
    source = csp_hash("")

    assert parse_policy(f"script-src {source}") == {"script-src": (source,)}
