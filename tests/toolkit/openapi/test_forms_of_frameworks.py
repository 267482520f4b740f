"""What is accepted of a form or a multipart body is what Starlette and FastAPI hand to the app."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from garrison.openapi.claims import query_pairs
from garrison.openapi.model import Media
from garrison.openapi.percent import decoded_form
from tests.toolkit.openapi.one_operation import FORM, body_reader, judged

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TYPE = b"multipart/form-data; boundary=b"
ANYTHING = body_reader(
    {name: {"schema": {"type": "object"}} for name in ("multipart/form-data", FORM.decode())}
)

# Pieces of bodies and of what is wrong with them: random bytes would never be what parsers differ about.
PIECES = st.sampled_from([
    b"--b", b"--b--", b"--c", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"--", b" ", b"\t", b";", b"; ", b"=",
    b'"', b"\\", b"%22", b"\0", b"\xff", b"text", b"{}", b"1",
    b"Content-Disposition: form-data", b"content-disposition:form-data", b"X-Y: z", b"Content-Length: 1",
    b"Content-Type: text/plain", b"Content-Type: application/json",
    b"; name=a", b'; name="b"', b'; name="\xc3\xa4"', b"; name*=c", b"; Name=d",
    b'; filename="f"', b"; filename=g", b"; filename*=utf-8''h", b'; filename=""',
])  # fmt: skip
PART = st.tuples(
    st.sampled_from([b"a", b'"b"', b'"a;b"', b"c; filename=f", b'"d"; filename="g"']), PIECES, PIECES
).map(lambda pieces: b"--b\r\nContent-Disposition: form-data; name=%b%b\r\n\r\n%b\r\n" % pieces)
BODIES = st.lists(PART | PIECES, max_size=8).map(b"".join)
WHOLE = st.lists(PART | PIECES, max_size=4).map(lambda parts: b"".join(parts) + b"--b--\r\n")


async def chunks(body: bytes) -> AsyncGenerator[bytes, None]:
    """A body in one chunk, and its end."""
    yield body
    yield b""


def starlettes(body: bytes) -> list[tuple[str, str, object]] | None:
    """The parts as Starlette has them; None where it refuses the body."""
    headers = Headers(raw=[(b"content-type", TYPE)])
    try:
        form = asyncio.run(MultiPartParser(headers, chunks(body)).parse())
    except MultiPartException:
        return None
    found: list[tuple[str, str, object]] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            found.append((name, "file", value.size))
            value.file.close()
        else:
            found.append((name, "text", value))
    return sorted(found, key=repr)


@settings(max_examples=400, deadline=None)
@given(BODIES | WHOLE)
@example(b"--b\r\nContent-Disposition: form-data; name=a; filename*=utf-8''h\r\n\r\n1\r\n--b--")
@example(b'--b\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n--b--')
@example(b"--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--b--")
def test_a_multipart_body_has_the_parts_that_the_app_gets(body: bytes) -> None:
    """The same names, files and texts, or a refusal on one side."""
    media = ANYTHING.media(TYPE, has_body=True)
    assert isinstance(media, Media)
    reader = ANYTHING.incremental(media, TYPE)
    if reader.feed(body) or reader.end():
        return
    app = starlettes(body)
    if app is None:
        return
    ours = [
        (name, kind if kind == "file" else "text", value)
        for name, parts in reader._taken.items()
        for kind, value in parts
    ]
    texts = [(name, value) for name, kind, value in ours if kind == "text" and isinstance(value, str)]
    assert sorted((name, kind) for name, kind, _ in ours if kind == "file") == [
        (name, kind) for name, kind, _ in app if kind == "file"
    ]
    assert set(texts) <= {(name, value) for name, _, value in app}
    assert len(ours) == len(app)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"a",
                b"b",
                b"=",
                b"&",
                b";",
                b"+",
                b"%20",
                b"%26",
                b"%3D",
                b"%",
                b"%c3%a4",
                b"%ff",
                b"[",
                b"]",
                b"\0",
                b"\n",
                b"\xff",
            ]
        )
    ).map(b"".join)
)
def test_a_form_has_the_fields_that_the_app_gets(body: bytes) -> None:
    """The same names and values in the same order, or a refusal."""
    if not body or judged(ANYTHING, FORM, body):
        return
    form = asyncio.run(FormParser(Headers(), chunks(body)).parse())
    ours = [(decoded_form(name), decoded_form(value)) for name, value in query_pairs(body)]
    assert ours == form.multi_items()
