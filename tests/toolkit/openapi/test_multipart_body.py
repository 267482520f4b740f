"""Multipart bodies against their schema, while they stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from garrison.openapi.model import Media
from tests.toolkit.openapi.one_operation import body_reader, judged, rules

if TYPE_CHECKING:
    from garrison.openapi.bodies import BodyReader
    from garrison.openapi.multipart_body import MultipartReader

TYPE = b"multipart/form-data; boundary=limit"
UPLOAD = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 9},
        "count": {"type": "integer", "maximum": 9},
        "tags": {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
        "photo": {"type": "string", "contentMediaType": "image/png", "maxLength": 10},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": 2},
        "meta": {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]},
        "points": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
        "list": {"type": "array", "items": {"type": "integer"}},
        "scan": {},
        "typed": {"type": "string", "format": "binary"},
    },
    "required": ["title"],
    "additionalProperties": False,
}
ENCODING = {
    "photo": {
        "contentType": "image/png, image/jpeg",
        "headers": {"X-Rotation": {"required": True, "schema": {"type": "integer", "maximum": 359}}},
    },
    "list": {"contentType": "application/json"},
    "typed": {"contentType": "text/*"},
}
PNG = "Content-Type: image/png"
TURNED = "X-Rotation: 90"


def part(name: str, value: bytes = b"", *lines: str, file: bool = False) -> bytes:
    """One part with its headers."""
    disposition = f'Content-Disposition: form-data; name="{name}"' + ('; filename="f.bin"' if file else "")
    return "\r\n".join(["--limit", disposition, *lines, "", ""]).encode() + value + b"\r\n"


TITLE = part("title", b"Holiday")


def body(*parts: bytes) -> bytes:
    """A whole body."""
    return b"".join(parts) + b"--limit--\r\n"


@pytest.fixture(scope="module")
def uploads() -> BodyReader:
    """What reads an upload."""
    return body_reader({"multipart/form-data": {"schema": UPLOAD, "encoding": ENCODING}})


def stream(reader: BodyReader, content_type: bytes = TYPE) -> MultipartReader:
    """A reader that takes the body in chunks."""
    media = reader.media(content_type, has_body=True)
    assert isinstance(media, Media)
    assert reader.way(media, content_type) == "feed"
    return reader.incremental(media, content_type)


def in_bytes(reader: BodyReader, whole: bytes) -> list[tuple[str, str]]:
    """What is wrong with a body that comes byte by byte."""
    incremental = stream(reader)
    for at in range(len(whole)):
        incremental.feed(whole[at : at + 1])
    return rules(incremental.end())


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part("count", b"7"), part("tags", b"1"), part("tags", b"2")],
        [part("count", b"7", "Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit")],
        [part("photo", b"\x89\r\n--limi", PNG, TURNED, file=True)],
        [part("files", b"\0" * 5000, file=True), part("files", b"", file=True)],
        [part("meta", b'{"x": 1}')],
        [part("meta", b'{"x": 1}', "Content-Type: application/json")],
        [part("meta", b'{"x": 1}', "Content-Type: application/json", file=True)],
        [part("points", b'{"x": 1}'), part("points", b'{"x": 2}')],
        [part("list", b"[1, 2]", "Content-Type: application/json")],
        [part("scan", b"any", file=True)],
        [part("scan", b"any")],
        [part("scan", b'{"a": 1}', "Content-Type: application/json")],
        [part("typed", b"a,b", "Content-Type: text/csv", file=True)],
        [part("files", b"x", file=True).replace(b'"f.bin"', b"\"f.bin\"; filename*=utf-8''f.bin")],
        [part("files", b"x", file=True).replace(b'"', b"")],
    ],
)
def test_what_the_document_declares_is_accepted(uploads: BodyReader, parts: list[bytes]) -> None:
    """Fields, files and JSON, single or several, however they are cut into chunks."""
    whole = body(TITLE, *parts)
    assert judged(uploads, TYPE, whole) == ()
    assert in_bytes(uploads, whole) == []


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], ("/title", "required")),
        ([TITLE, part("unknown", b"1")], ("", "unknown")),
        ([TITLE, TITLE], ("/title", "repeated")),
        ([part("title", b"far too long")], ("/title", "maxLength")),
        ([part("title", b"\xff")], ("/title", "encoding")),
        ([part("title", b"a", "Content-Type: text/plain; charset=utf-16")], ("/title", "mediaType")),
        ([part("title", b"a", file=True)], ("/title", "type")),
        ([TITLE, part("count", b"x")], ("/count", "type")),
        ([TITLE, part("count", b"10")], ("/count", "maximum")),
        ([TITLE, part("tags", b"1"), part("tags", b"x")], ("/tags/1", "type")),
        ([TITLE, part("tags", b"1") * 3], ("/tags", "maxItems")),
        ([TITLE, part("photo", b"x", PNG, TURNED)], ("/photo", "type")),
        ([TITLE, part("photo", b"x" * 11, PNG, TURNED, file=True)], ("/photo", "maxLength")),
        ([TITLE, part("photo", b"x", "Content-Type: image/gif", TURNED, file=True)], ("/photo", "mediaType")),
        ([TITLE, part("photo", b"x", TURNED, file=True)], ("/photo", "mediaType")),
        ([TITLE, part("photo", b"x", PNG, file=True)], ("/photo", "required")),
        ([TITLE, part("photo", b"x", PNG, "X-Rotation: 360", file=True)], ("/photo", "maximum")),
        ([TITLE, part("files", b"x", file=True), part("files", b"x")], ("/files/1", "type")),
        ([TITLE, part("files", b"x", file=True) * 3], ("/files", "maxItems")),
        ([TITLE, part("meta", b"{}")], ("/meta/x", "required")),
        ([TITLE, part("meta", b"{")], ("/meta", "syntax")),
        ([TITLE, part("points", b'{"x": 1}'), part("points", b'{"x": "a"}')], ("/points/1/x", "type")),
        ([TITLE, part("list", b'["a"]', "Content-Type: application/json")], ("/list/0", "type")),
        ([TITLE, part("typed", b"x", "Content-Type: image/png", file=True)], ("/typed", "mediaType")),
        ([TITLE, part("scan", b"{", "Content-Type: application/json")], ("/scan", "syntax")),
        ([TITLE, part("scan", b"x", "Content-Type: json")], ("", "syntax")),
        ([TITLE, part("count", b"MQ==", "Content-Transfer-Encoding: base64")], ("", "syntax")),
        ([TITLE, part("count", b"1", 'Content-Disposition: form-data; name="title"')], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b'"count"', b'"count"; name="tags"')], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b"name=", b"name*=")], ("", "syntax")),
        ([TITLE, part("files", b"1").replace(b'"files"', b"\"files\"; filename*=utf-8''f")], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b"form-data", b"attachment")], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b'; name="count"', b"")], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b"Content-Disposition", b"Content-D")], ("", "syntax")),
        ([TITLE, part(r"c\ount", b"1")], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b'"count"', b'"\xff"')], ("", "syntax")),
        ([TITLE, part("count", b"1").replace(b"\r\n", b"\n")], ("", "syntax")),
        ([TITLE, part("count", b"1", *[f"X-{at}: 1" for at in range(9)])], ("", "size")),
        ([TITLE, part("count", b"1", "X-Long: " + "x" * 5000)], ("", "size")),
    ],
)
def test_what_the_document_does_not_declare_is_told(
    uploads: BodyReader, parts: list[bytes], expected: tuple[str, str]
) -> None:
    """With the part, where the document has its name; however it is cut into chunks."""
    whole = body(*parts)
    assert rules(judged(uploads, TYPE, whole)) == [expected]
    assert in_bytes(uploads, whole) == [expected]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"--limit",
        b"garbage",
        body(TITLE)[:-4],
        body(TITLE).replace(b"--limit--", b"--other--"),
        body(TITLE).replace(b"\r\n\r\n", b"\r\n"),
        b"x" + body(TITLE),
    ],
)
def test_a_broken_body_is_told(uploads: BodyReader, broken: bytes) -> None:
    """One that ends too early among them."""
    reader = stream(uploads)
    reader.feed(broken)
    assert rules(reader.end()) == [("", "syntax")]


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b'multipart/form-data; boundary=""',
        b'multipart/form-data; boundary="a\tb"',
        b'multipart/form-data; boundary="a "',
        b"multipart/form-data; boundary=" + b"a" * 71,
    ],
)
def test_a_boundary_is_one_by_the_book(uploads: BodyReader, content_type: bytes) -> None:
    """Others are read by parsers in their own ways (RFC 2046 section 5.1.1)."""
    assert rules(stream(uploads, content_type).feed(b"x")) == [("", "syntax")]


def test_a_file_is_counted_and_not_kept(uploads: BodyReader) -> None:
    """An upload of any size passes through in little memory."""
    reader = stream(uploads)
    assert reader.feed(TITLE + part("files", file=True)[:-2]) == ()
    chunk = b"\0" * 65536
    for _ in range(200):
        assert reader.feed(chunk) == ()
    assert reader._kept < 2048
    assert reader.feed(b"\r\n--limit--") == ()
    assert reader.end() == ()


def test_what_is_wrong_is_told_at_once(uploads: BodyReader) -> None:
    """An undeclared part at its headers, a file that is too long at its first byte too many; and for good."""
    reader = stream(uploads)
    assert rules(reader.feed(part("unknown")[:-2])) == [("", "unknown")]
    assert rules(reader.feed(TITLE)) == [("", "unknown")]
    assert rules(reader.end()) == [("", "unknown")]
    reader = stream(uploads)
    assert reader.feed(part("photo", b"x" * 10, PNG, TURNED, file=True)[:-2]) == ()
    assert rules(reader.feed(b"xx")) == [("/photo", "maxLength")]


def test_fields_are_kept_up_to_a_bound() -> None:
    """Neither one long field nor very many short ones fill the memory."""
    anything = body_reader({"multipart/form-data": {"schema": {"type": "object"}}})
    assert judged(anything, TYPE, body(part("a", b"x" * 1_000_000))) == ()
    assert rules(judged(anything, TYPE, body(part("a", b"x" * 1_100_000)))) == [("", "size")]
    assert rules(judged(anything, TYPE, body(*[part("a")] * 5000))) == [("", "size")]


def test_what_follows_the_last_boundary_is_ignored(uploads: BodyReader) -> None:
    """So does every parser (RFC 2046 section 5.1.1)."""
    reader = stream(uploads)
    assert reader.feed(body(TITLE)) == ()
    assert reader.feed(part("unknown", b"1")) == ()
    assert reader.end() == ()


def test_a_text_in_a_part_is_what_the_schema_lets_it_be() -> None:
    """A text that looks like a number is tried as a text, also beside files and JSON."""
    either = {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "string", "pattern": "^[0-9]{5}$"}]}
    schema = {
        "type": "object",
        "properties": {
            "id": either,
            "file": {"type": "string", "format": "binary"},
            "meta": {"type": "object"},
        },
    }
    reader = body_reader({"multipart/form-data": {"schema": schema}})
    others = part("file", b"x", file=True) + part("meta", b"{}")
    assert judged(reader, TYPE, body(others, part("id", b"7"))) == ()
    assert judged(reader, TYPE, body(others, part("id", b"12345"))) == ()
    assert judged(reader, TYPE, body(others, part("id", b"123"))) != ()


def test_mixed_parts_without_names_are_an_array() -> None:
    """Where the schema is one."""
    schema = {"type": "array", "items": {"type": "object", "required": ["x"]}, "maxItems": 2}
    reader = body_reader({"multipart/mixed": {"schema": schema}})
    content_type = b"multipart/mixed; boundary=limit"
    one = b'--limit\r\nContent-Type: application/json\r\n\r\n{"x": 1}\r\n'
    assert judged(reader, content_type, body(one, one)) == ()
    assert rules(judged(reader, content_type, body(one, one, one))) == [("", "maxItems")]
    assert rules(judged(reader, content_type, body(one, one.replace(b"x", b"y")))) == [("/1/x", "required")]


def test_mixed_parts_are_bytes_by_their_media_type() -> None:
    """They need no file name, but what the document wants to be something else has to be that."""
    schema = {"type": "array", "prefixItems": [{"type": "integer"}, {}], "maxItems": 2}
    positions = [{"contentType": "application/json"}, {"contentType": "image/png"}]
    content = {"multipart/mixed": {"schema": schema, "prefixEncoding": positions}}
    reader = body_reader(content, version="3.2.0")
    content_type = b"multipart/mixed; boundary=limit"
    number = b"--limit\r\nContent-Type: application/json\r\n\r\n1\r\n"
    picture = b"--limit\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n"
    assert judged(reader, content_type, body(number, picture)) == ()
    assert rules(judged(reader, content_type, body(picture, number))) == [("/0", "type")]
    texts = body_reader({"multipart/mixed": {"schema": {"type": "array", "items": {"type": "string"}}}})
    assert judged(texts, content_type, body(picture.replace(b"\x89", b""))) == ()


def test_mixed_parts_with_names_are_an_object() -> None:
    """Whatever their disposition is; one without a name is none of its members."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
    reader = body_reader({"multipart/mixed": {"schema": schema}})
    content_type = b"multipart/mixed; boundary=limit"
    named = part("n", b"1").replace(b"form-data", b"inline")
    assert judged(reader, content_type, body(named)) == ()
    assert rules(judged(reader, content_type, body(named.replace(b"1\r\n", b"x\r\n")))) == [("/n", "type")]
    assert rules(judged(reader, content_type, body(b"--limit\r\n\r\n1\r\n"))) == [("", "required")]
