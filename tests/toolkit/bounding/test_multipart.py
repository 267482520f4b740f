"""Parts are counted as any parser would find them, in pieces of every size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multipart import MultipartSegment, PushMultipartParser

from garrison.bounding.multipart import UNCLEAR, PartBounds, Parts, judge_of, kind_of

if TYPE_CHECKING:
    from garrison.problems import Problem

LOOSE: Final = PartBounds(parts=1000, header=8192, field=None, file=None)
FIELD: Final = b'Content-Disposition: form-data; name="a"'
FILE: Final = b'Content-Disposition: form-data; name="a"; filename="b.txt"\r\nContent-Type: text/plain'


def body(*parts: tuple[bytes, bytes]) -> bytes:
    """A body of parts, each its header lines and what is in it."""
    return (
        b"".join(b"--x\r\n" + head + b"\r\n" * (2 if head else 1) + data + b"\r\n" for head, data in parts)
        + b"--x--\r\n"
    )


def judged(sent: bytes, bounds: PartBounds, size: int = 64) -> Problem | None:
    """What is said of a body that comes in pieces of this size."""
    parts = Parts(b"x", bounds)
    for at in range(0, len(sent), size):
        problem = parts(sent[at : at + size])
        if problem is not None:
            return problem
    return None


PARTS = st.lists(
    st.tuples(st.sampled_from([FIELD, FILE]), st.binary(max_size=40).filter(lambda data: b"--x" not in data)),
    min_size=1,
    max_size=6,
)


@given(PARTS, st.integers(1, 30))
def test_the_bounds_are_exact(parts: list[tuple[bytes, bytes]], size: int) -> None:
    """As many parts as there are, each as large as it is, pass; one less of anything does not."""
    sent = body(*parts)
    largest = {
        kind: max([len(data) for head, data in parts if head == kind], default=0) for kind in (FIELD, FILE)
    }
    header = max(len(head) for head, _ in parts)
    exact = PartBounds(parts=len(parts), header=header, field=largest[FIELD], file=largest[FILE])
    assert judged(sent, exact, size) is None
    for bounds in (
        PartBounds(parts=len(parts) - 1, header=header, field=None, file=None),
        PartBounds(parts=len(parts), header=header - 1, field=None, file=None),
        PartBounds(parts=len(parts), header=header, field=largest[FIELD] - 1, file=largest[FILE] - 1),
    ):
        problem = judged(sent, bounds, size)
        assert problem is not None
        assert problem.status == 413


@given(PARTS, st.integers(1, 30))
def test_a_parser_finds_the_same_parts(parts: list[tuple[bytes, bytes]], size: int) -> None:
    """The parser of others agrees about the number of parts."""
    sent = body(*parts)
    parser = PushMultipartParser(b"x")
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    found = [event for piece in pieces if not parser.closed for event in parser.parse(piece)]
    assert sum(isinstance(event, MultipartSegment) for event in found) == len(parts)
    assert judged(sent, PartBounds(parts=len(parts), header=200, field=None, file=None), size) is None


@given(
    st.lists(
        st.sampled_from([b"--x", b"--", b"\r\n", b"\n", b"\r", b"a", b": ", FIELD, FILE, b'"', b"x"]),
        max_size=40,
    ),
    st.integers(1, 9),
)
def test_nothing_raises_or_is_lost(pieces: list[bytes], size: int) -> None:
    """Whatever a body is made of, the pieces in which it comes make no difference."""
    sent = b"".join(pieces)
    bounds = PartBounds(parts=3, header=70, field=4, file=6)
    whole, cut = judged(sent, bounds, 10_000), judged(sent, bounds, size)
    assert (whole is None) == (cut is None)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (FIELD, "field"),
        (FILE, "file"),
        (FILE.lower(), "file"),
        (b"Content-Type: text/plain\r\n" + FILE, "file"),
        (FIELD + b"; filename=b", "file"),
        (FIELD + b"; filename*=UTF-8''b", "file"),
        (FIELD + b';\r\n filename="b"', "file"),
        (FIELD + b'; filename=""', "either"),
        (b"X-A: filename=b\r\n" + FIELD, "field"),
        (b'Content-Disposition: form-data; name="; filename=b"', "either"),
        (b'Content-Disposition: form-data; name="a\\"; filename=b"', "either"),
        (FIELD + b"\r\n" + FILE, "either"),
        (FIELD + b"\nX: 1", "either"),
        (b"X-A: 1", "either"),
        (b"", "either"),
    ],
)
def test_a_file_has_a_file_name(header: bytes, kind: str) -> None:
    """Where readers could differ about what a part is, the smaller bound holds."""
    assert kind_of(header) == kind
    bounds = PartBounds(parts=9, header=999, field=20, file=10)
    limit = {"field": 20, "file": 10, "either": 10}[kind]
    assert judged(body((header, b"." * limit)), bounds) is None
    assert judged(body((header, b"." * (limit + 1))), bounds) is not None


def test_line_feeds_alone_are_ends_of_lines_too() -> None:
    """What some parsers read is counted as if all did."""
    sent = body((FIELD, b"123456"), (FILE, b"1")).replace(b"\r\n", b"\n")
    assert judged(sent, PartBounds(parts=2, header=200, field=6, file=6)) is None
    assert judged(sent, PartBounds(parts=1, header=200, field=None, file=None)) is not None
    assert judged(sent, PartBounds(parts=2, header=200, field=5, file=None)) is not None


@pytest.mark.parametrize(
    "value",
    [
        b"; boundary=x",
        b";boundary=x",
        b'; BOUNDARY="x"; charset=utf-8',
        b"; charset=utf-8; boundary=x",
        b'; boundary="a b=c"',
        b"; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
    ],
)
def test_a_boundary_is_found(value: bytes) -> None:
    """In capitals, in quotes, and among other parameters."""
    assert isinstance(judge_of(b"multipart/form-data" + value, LOOSE), Parts)


@pytest.mark.parametrize(
    "value",
    [
        b"; boundary=x; boundary=y",
        b"; boundary=x; boundary*=y",
        b"; boundary*0=x",
        b"; boundary=",
        b'; boundary=""',
        b'; boundary="a\\"b"',
        b'; boundary="a',
        b"; boundary=a=b",
        b"; boundary=a b",
        b"; boundary = x",
    ],
)
def test_an_unclear_boundary_is_refused(value: bytes) -> None:
    """Of several, or of one that is spelled as nobody does, each reader has its own idea."""
    assert judge_of(b"multipart/form-data" + value, LOOSE) is UNCLEAR


def test_without_a_boundary_there_is_nothing_to_count() -> None:
    """No parser can read such a body either."""
    assert judge_of(b"multipart/form-data", LOOSE) is None


@pytest.mark.parametrize(
    "sent",
    [b"\0", b"-", b"\r\n--", b"\r", b"--y", b"--x\r\n\r\n", b"--x\n" + FIELD],
)
def test_megabytes_of_anything_take_no_time(sent: bytes) -> None:
    """A body is counted faster than it can arrive, and its bounds end what is not."""
    began = time.thread_time()
    judged(sent * (20_000_000 // len(sent)), LOOSE, 65_536)
    assert time.thread_time() - began < 1
