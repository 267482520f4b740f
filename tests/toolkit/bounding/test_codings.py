"""What compressed bodies become is counted to the byte, whatever the pieces in which they come."""

from __future__ import annotations

import gzip
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.bounding.codings import Inflated, can_inflate
from garrison.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

TOO_LARGE = Problem(status=413)


def raw(text: bytes) -> bytes:
    """Deflate without the header of the zlib format."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(text) + stream.flush()


def inflated(pieces: Iterable[bytes], limit: int, *codings: bytes) -> bytes | None:
    """What a body becomes; None where that is too much."""
    found: list[bytes] = []
    judge = Inflated(codings, limit, TOO_LARGE, found.append)
    for piece in pieces:
        if judge(piece) is TOO_LARGE:
            return None
    return b"".join(found)


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of this size."""
    return [data[at : at + size] for at in range(0, len(data), size)]


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "x-gzip", "deflate", "raw"]), st.integers(1, 200))
def test_a_body_becomes_what_it_was(text: bytes, coding: str, size: int) -> None:
    """Each coding is undone in pieces of every size, at its limit and not beyond."""
    compressed = {"deflate": zlib.compress(text), "raw": raw(text)}.get(coding, gzip.compress(text))
    pieces = cut(compressed, size)
    name = b"deflate" if coding == "raw" else coding.encode()
    assert inflated(pieces, len(text), name) == text
    assert text == b"" or inflated(pieces, len(text) - 1, name) is None


def test_two_codings_are_undone_in_their_order() -> None:
    """The last one that was put on comes off first, and what is between them counts too."""
    body = gzip.compress(zlib.compress(b"hello"))
    assert inflated([body], 100, b"deflate", b"gzip") == b"hello"
    assert inflated([gzip.compress(b"\0" * 1000)], 100, b"gzip", b"gzip") is None


def test_members_are_parts_of_one_body() -> None:
    """A gzip file may be several, one behind the other, and what is no member ends it."""
    assert inflated([gzip.compress(b"a") + gzip.compress(b"b") + b"junk"], 100, b"gzip") == b"ab"


@pytest.mark.parametrize("body", [b"", b"x", b"{}", b"\x1f\x8b\xff", gzip.compress(b"hello", mtime=0)[:10]])
def test_what_cannot_be_inflated_is_nothing(body: bytes) -> None:
    """A broken stream is the app's business, which cannot inflate it either."""
    assert inflated([body, body], 100, b"gzip") == b""


@pytest.mark.parametrize(
    ("bomb", "codings", "becomes"),
    [
        (gzip.compress(b"\0" * 100_000_000), (b"gzip",), None),
        (gzip.compress(gzip.compress(b"\0" * 100_000_000)), (b"gzip", b"gzip"), None),
        (gzip.compress(b"") * 100_000, (b"gzip",), b""),
    ],
    ids=["large", "twice", "members"],
)
def test_a_bomb_takes_no_time(bomb: bytes, codings: tuple[bytes, ...], becomes: bytes | None) -> None:
    """It is over as soon as there is too much, and empty members are no way to take long."""
    began = time.thread_time()
    assert inflated([bomb], 10_000_000, *codings) == becomes
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    ("codings", "fine"),
    [
        ((b"gzip",), True),
        ((b"deflate", b"x-gzip"), True),
        ((b"br",), False),
        ((b"gzip", b"zstd"), False),
        ((b"gzip",) * 3, False),
        ((), False),
    ],
)
def test_only_known_codings_can_be_counted(codings: tuple[bytes, ...], *, fine: bool) -> None:
    """Python undoes gzip and deflate, and two at once are more than anybody sends."""
    assert can_inflate(codings) is fine
