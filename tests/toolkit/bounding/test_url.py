"""Paths that no honest client sends are told from all that apps serve today."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.bounding.url import flaw_in_path, flaw_in_url


def flaw(raw: str, query: bytes = b"", *, strict: bool = False) -> str:
    """What is said of a URL, with the path decoded as servers do."""
    path, target = unquote(raw), raw.encode()
    return flaw_in_path(path, target) or (flaw_in_url(path, target, query) if strict else None) or ""


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/a/../b", "dot segments"),
        ("/..", "dot segments"),
        ("/.", "dot segments"),
        ("/a/./b", "dot segments"),
        ("/%2e%2E/b", "dot segments"),
        ("/a%2f..%2fb", "dot segments"),
        ("/%00", "control"),
        ("/a%0a", "control"),
        ("/%1b", "control"),
        ("/%7f", "control"),
        ("/%c2%85", "control"),
        ("/%", "per cent"),
        ("/%1", "per cent"),
        ("/%zz", "per cent"),
        ("/100%", "per cent"),
        ("/%u0041", "per cent"),
        ("/%-1", "per cent"),
        ("/caf%e9", "UTF-8"),
        ("/%c0%af", "UTF-8"),
        ("/%ed%a0%80", "UTF-8"),
    ],
)
def test_what_is_no_path_is_named(path: str, word: str) -> None:
    """Each sentence says what is wrong and repeats nothing of the path."""
    assert word in flaw(path)


@pytest.mark.parametrize(
    "path",
    [
        "/", "", "*", "/a%2Fb", "/a%5Cb", "/a%20b", "/a b", "/%25", "/100%25", "/%252e%252e", "/caf%C3%A9",
        "/%F0%9F%98%80", "/.well-known/x", "/...", "/..a", "/a..", "/a;b=1", "//a", "/a//b", "/a+b", "/~a",
        "/a:b@c", "/%E2%80%8B", "/a%C2%A0b",
    ],
)  # fmt: skip
def test_what_apps_serve_passes(path: str) -> None:
    """Escaped slashes, blanks, letters of all alphabets and names with dots are fine."""
    assert not flaw(path)


def test_a_server_without_a_raw_path_is_no_trouble() -> None:
    """What can be seen in the decoded path is seen, and a per cent sign is only a sign there."""
    assert not flaw_in_path("/100%", b"")
    assert "dot" in (flaw_in_path("/a/../b", b"") or "")
    assert "control" in (flaw_in_path("/\0", b"") or "")


def test_a_query_behind_the_raw_path_is_not_the_path() -> None:
    """Some servers leave it there, and in a query a per cent sign alone is common."""
    assert not flaw_in_path("/a", b"/a?q=100%")


def test_letters_that_are_not_escaped_are_utf_8() -> None:
    """Some clients send them so, and their servers pass them on."""
    assert not flaw_in_path("/ä", "/ä".encode())
    assert "UTF-8" in (flaw_in_path("/ä", "/ä".encode("latin-1")) or "")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1)))
def test_every_text_can_be_a_segment(segments: list[str]) -> None:
    """Whatever an app puts into its links, escaped as it should be, comes through."""
    path = "".join("/" + quote(segment, safe="") for segment in segments if segment not in {".", ".."})
    assert not flaw(path)


@given(st.binary(max_size=30))
def test_no_bytes_raise(raw: bytes) -> None:
    """Whatever a server takes for a path gets an answer."""
    flaw_in_path(unquote(raw.decode("latin-1")), raw)
    flaw_in_url(unquote(raw.decode("latin-1")), raw, raw)


@pytest.mark.parametrize(
    "path", ["//a", "/a//", "/a;b", "/a%3bb", "/a\\b", "/a%5Cb", "/a%2fb", "/%25", "/a%2500"]
)
def test_strict_refuses_what_is_read_in_two_ways(path: str) -> None:
    """What one reader takes for a separator and the next for a letter is fine until it is strict."""
    assert not flaw(path)
    assert flaw(path, strict=True)


@pytest.mark.parametrize(
    ("query", "fine"),
    [
        (b"", True),
        (b"q=%C3%A4&b=a%20b+c%26d", True),
        (b"text=a%0D%0Ab%09c", True),
        (b"q=100%", False),
        (b"q=%ff", False),
        (b"q=%00", False),
        (b"q=%1b", False),
        (b"q=\xe4", False),
    ],
)
def test_strict_looks_at_the_query_too(query: bytes, *, fine: bool) -> None:
    """Escapes that are none, bytes that are not UTF-8 and controls are refused, ends of lines are not."""
    assert not flaw("/", query)
    assert (not flaw("/", query, strict=True)) is fine
