"""Percent-encoding, and the raw path that a router stands for."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.percent import UnreadableError, decoded, decoded_form, misplaced_path, wire_path


@given(st.text())
def test_what_is_encoded_is_read_back(text: str) -> None:
    """Any text survives, and a blank may be a plus in a form."""
    encoded = quote(text, safe="", errors="replace")
    expected = text.encode("utf-8", "replace").decode()
    assert decoded(encoded.encode()) == expected
    assert decoded_form(encoded.replace("%20", "+").encode()) == expected


@pytest.mark.parametrize(
    "raw",
    [b"%", b"%4", b"%zz", b"a%2", b"%FF", b"%C0%AF", b"%ED%A0%80", b"%u0041", b"\xc3\xa9", b"%41\xc3\xa9"],
)
def test_text_that_is_no_text_is_refused(raw: bytes) -> None:
    """Half an escape, overlong and broken UTF-8 and bytes that should have been encoded are no values."""
    with pytest.raises(UnreadableError) as caught:
        decoded(raw)
    assert caught.value.rule == "encoding"


@pytest.mark.parametrize(
    ("path", "raw_path", "root_path", "expected"),
    [
        ("/a b", b"/a%20b", "", b"/a%20b"),
        ("/a/b", b"/a%2Fb", "", b"/a%2Fb"),
        ("/a/b", b"/a%2Fb?x=1", "", b"/a%2Fb"),
        ("/a b", None, "", b"/a%20b"),
        ("/a,b;c", None, "", b"/a,b;c"),
        ("/\ufffd", b"/%FF", "", b"/%FF"),
        ("/rewritten", b"/a", "", b"/rewritten"),
        ("/api/a/b", b"/api/a%2Fb", "/api", b"/a%2Fb"),
        ("/api/a/b", b"/api/a%2Fb", "/api/", b"/a%2Fb"),
        ("/api//a/b", b"/api//a%2Fb", "/api/", b"/a%2Fb"),
        ("//a", b"//a", "/", b"/a"),
        ("/api/a", b"/%61pi/a", "/api", b"/a"),
        ("/a p/i/x", b"/a%20p/i/x", "/a p/i", b"/x"),
        ("/a/b/c", b"/a%2Fb/c", "/a/b", b"/c"),
        ("/api", b"/api", "/api", b"/"),
        ("/apix", b"/apix", "/api", b"/apix"),
        ("/a", b"/a", "/api", b"/a"),
        ("/a", b"/api/a", "/api", b"/a"),
        ("/é", b"/\xc3\xa9", "", b"/\xc3\xa9"),
    ],
)
def test_the_raw_path_of_what_is_routed(
    path: str, raw_path: bytes | None, root_path: str, expected: bytes
) -> None:
    """It is the raw path where that agrees with the decoded one, which counts otherwise, and has no root."""
    assert wire_path(path, raw_path, root_path) == expected


@pytest.mark.parametrize(
    ("path", "root_path", "expected"),
    [
        ("/api/a", "/api", None),
        ("/api", "/api", None),
        ("/api/a", "/api/", None),
        ("/a", "/api", None),
        ("/x/api/a b", "/api", b"/a%20b"),
        ("/x/api//a", "/api", b"/a"),
        ("/apia", "/api", b"/a"),
        ("/x/api", "/api", b"/"),
        ("/x/api/api/a", "/api", b"/api/a"),
    ],
)
def test_what_another_router_takes_for_a_path(path: str, root_path: str, expected: bytes | None) -> None:
    """Litestar looks for `root_path` anywhere; where that is where it belongs, there is no other reading."""
    assert misplaced_path(path, root_path) == expected


@given(path=st.text(), root=st.text(alphabet="/%2Fab"), raw=st.binary(), prefix=st.booleans())
def test_the_raw_path_always_stands_for_the_routed_one(
    path: str, root: str, raw: bytes, *, prefix: bool
) -> None:
    """Whatever servers and other middleware do to the two, it is the routed path that is matched."""
    path = f"{root}/{path}" if prefix else path
    routed = path
    bare = root if path.startswith(f"{root}/") else root.rstrip("/")
    if bare and path.startswith(bare) and path[len(bare) : len(bare) + 1] in {"", "/"}:
        routed = path[len(bare) :] or "/"
    for given_raw in (raw, quote(path, errors="replace").encode(), path.encode("utf-8", "replace")):
        seen = wire_path(path, given_raw, root)
        assert unquote(seen.decode("utf-8", "replace")) == routed.encode("utf-8", "replace").decode()
