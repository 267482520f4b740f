"""The body of a request against what its operation declares."""

from __future__ import annotations

import pytest

from garrison.openapi.bodies import BodyReader, Refusal
from garrison.openapi.model import Media
from tests.toolkit.openapi.one_operation import FORM, JSON, body_reader, judged, rules

PET = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 5}, "age": {"type": "integer", "format": "int64"}},
    "required": ["name"],
    "additionalProperties": False,
}
PETS = {"application/json": {"schema": PET}}


def refused(reader: BodyReader, content_type: bytes | None, encoding: bytes | None = None) -> Refusal:
    """Why a body of this Content-Type is refused."""
    found = reader.media(content_type, has_body=True, content_encoding=encoding)
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"Application/JSON",
        b'application/json ;\tcharset="UTF-8"',
        b"application/json;",
        b"application/json; profile=x",
    ],
)
def test_every_spelling_of_a_media_type_is_validated(content_type: bytes) -> None:
    """Neither case nor parameters are a way around the schema."""
    reader = body_reader(PETS)
    assert judged(reader, content_type, b'{"name": "Rex"}') == ()
    assert rules(judged(reader, content_type, b'{"name": "Rex", "admin": true}')) == [
        ("", "additionalProperties")
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"name": "Rex", "age": 3}', []),
        (b"{}", [("/name", "required")]),
        (b'{"name": "Long name"}', [("/name", "maxLength")]),
        (b'{"name": 1, "age": "x"}', [("/name", "type"), ("/age", "type")]),
        (b'{"name": "Rex", "name": 1}', [("/name", "type")]),
        (b'{"name": 1, "name": "Rex"}', []),
        (b'\xef\xbb\xbf{"name": "Rex"}', []),
        (b'{"name": "Rex"', [("", "syntax")]),
        (b'{"name": NaN}', [("", "syntax")]),
        (b'{"name": "\\ud800"}', [("", "syntax")]),
        (b'{"name": "\xff"}', [("", "syntax")]),
        (b"[" * 200 + b"]" * 200, [("", "depth")]),
        (b"[" * 100_000, [("", "syntax")]),
    ],
)
def test_json_is_held_to_its_schema(body: bytes, expected: list[tuple[str, str]]) -> None:
    """What the app would read is what is checked, and it is told what is wrong and where."""
    assert sorted(rules(judged(body_reader(PETS), JSON, body))) == sorted(expected)


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (2**63 - 1, True),
        (2**63, False),
        (2**64, False),
        (10**300, False),
        (-(2**63), True),
        (-(2**63) - 1, False),
        (-(10**25), False),
    ],
)
def test_integers_beyond_64_bits_are_judged_exactly(number: int, fits: bool) -> None:
    """The neighbours of the largest 64-bit numbers are not rounded into range."""
    body = b'{"name": "Rex", "age": %d}' % number
    assert (judged(body_reader(PETS), JSON, body) == ()) is fits


def test_a_long_integer_passes_where_there_is_no_bound() -> None:
    """It is an integer, and not the double next to it that has other divisors."""
    reader = body_reader({"application/json": {"schema": {"type": "integer", "multipleOf": 7}}})
    assert judged(reader, JSON, b"%d" % (7 * 10**30 + 7)) == ()


def test_a_required_body_has_to_be_there() -> None:
    """Whether the header block tells that it is missing, or only its end."""
    reader = body_reader(PETS)
    missing = reader.media(JSON, has_body=False)
    assert isinstance(missing, Refusal)
    assert (missing.status, missing.violation.rule) == (400, "required")
    media = reader.media(JSON, has_body=True)
    assert isinstance(media, Media)
    assert rules(reader.check(media, JSON, b"")) == [("", "required")]


def test_an_optional_body_may_be_missing() -> None:
    """Its Content-Type means nothing then."""
    reader = body_reader(PETS, required=False)
    assert reader.media(None, has_body=False) is None
    assert reader.media(b"image/png", has_body=False) is None
    assert judged(reader, JSON, b"") == ()
    assert rules(judged(reader, JSON, b"{}")) == [("/name", "required")]


def test_a_body_that_nobody_declared_is_refused() -> None:
    """Nothing says what it may be; a setting lets it pass."""
    found = refused(body_reader({}, method="get"), JSON)
    assert (found.status, found.violation.rule) == (400, "unknown")
    assert body_reader({}, method="get").media(None, has_body=False) is None
    assert body_reader({}, method="get", undeclared="pass").media(JSON, has_body=True) is None


def test_another_media_type_is_told_what_would_do() -> None:
    """A 415 names the declared ones, for PATCH in its own header as well."""
    content = {"application/merge-patch+json": {"schema": PET}, "application/*": {}}
    found = refused(body_reader(content, method="patch"), b"text/plain")
    assert found.status == 415
    assert found.headers == (
        (b"accept", b"application/merge-patch+json, application/*"),
        (b"accept-patch", b"application/merge-patch+json"),
    )
    assert refused(body_reader(PETS), b"application/problem+json").headers == (
        (b"accept", b"application/json"),
    )


def test_a_body_without_a_media_type_is_refused() -> None:
    """Some apps take it for JSON."""
    assert refused(body_reader(PETS), None).status == 415


@pytest.mark.parametrize(
    "content_type", [b"json", b"application/json, text/plain", b"application/json; a=1; a=2"]
)
def test_a_malformed_content_type_is_a_bad_request(content_type: bytes) -> None:
    """What it is cannot be said, so that no other media type would help."""
    assert refused(body_reader(PETS), content_type).status == 400


@pytest.mark.parametrize("charset", [b"utf-16", b"iso-8859-1", b"utf-7", b"us-ascii"])
def test_only_utf_8_is_read(charset: bytes) -> None:
    """An app that believes another charset would read another text."""
    content = {**PETS, FORM.decode(): {"schema": PET}, "multipart/form-data": {"schema": PET}}
    for content_type in (JSON, FORM, b"multipart/form-data; boundary=x"):
        assert refused(body_reader(content), content_type + b"; charset=" + charset).status == 415


@pytest.mark.parametrize("encoding", [b"gzip", b"br", b"identity, deflate", b"x"])
def test_what_is_compressed_is_not_let_through_unread(encoding: bytes) -> None:
    """A 415 asks for it as it is (RFC 9110 section 12.5.3)."""
    found = refused(body_reader(PETS), JSON, encoding)
    assert (found.status, found.headers) == (415, ((b"accept-encoding", b"identity"),))
    assert isinstance(body_reader(PETS).media(JSON, has_body=True, content_encoding=b"Identity"), Media)
    uploads = body_reader({"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}})
    assert isinstance(
        uploads.media(b"application/octet-stream", has_body=True, content_encoding=encoding), Media
    )


@pytest.mark.parametrize(
    ("content_type", "way"),
    [
        (b"application/json", "whole"),
        (b"application/x-www-form-urlencoded", "whole"),
        (b"text/plain", "whole"),
        (b"multipart/form-data; boundary=x", "feed"),
        (b"application/octet-stream", "pass"),
        (b"application/xml", "pass"),
        (b"image/png", "pass"),
    ],
)
def test_only_what_is_judged_is_read(content_type: bytes, way: str) -> None:
    """Uploads stream, and so does what no schema can speak of."""
    declared = content_type.partition(b";")[0].decode()
    schema = {"schema": {"type": ["object", "string"]}}
    for spelling in (declared, declared.partition("/")[0] + "/*"):
        reader = body_reader({spelling: schema})
        media = reader.media(content_type, has_body=True)
        assert isinstance(media, Media)
        assert reader.way(media, content_type) == way
        without = body_reader({spelling: {}})
        media = without.media(content_type, has_body=True)
        assert isinstance(media, Media)
        assert without.way(media, content_type) == "pass"
        assert without.check(media, content_type, b"\xff[") == ()


@pytest.mark.parametrize(
    ("declared", "types"),
    [
        ("application/x-www-form-urlencoded", ["array", "string"]),
        ("multipart/form-data", "string"),
        ("text/plain", "object"),
    ],
)
def test_a_schema_that_its_media_type_cannot_fit_is_not_applied(declared: str, types: object) -> None:
    """A form is an object and a text is none: there is no value to hold against anything else."""
    reader = body_reader({declared: {"schema": {"type": types}}})
    content_type = declared.encode() + b"; boundary=x"
    media = reader.media(content_type, has_body=True)
    assert isinstance(media, Media)
    assert reader.way(media, content_type) == "pass"


def test_a_range_is_no_way_around_its_schema() -> None:
    """Under `*/*` the client picks the media type; one that cannot be checked is not taken for an object."""
    reader = body_reader({"*/*": {"schema": PET}})
    assert rules(judged(reader, b"application/json", b"{}")) == [("/name", "required")]
    assert rules(judged(reader, b"application/x-www-form-urlencoded", b"age=1")) == [("/name", "required")]
    for content_type in (b"application/xml", b"application/octet-stream", b"text/plain", b"x/y"):
        found = refused(reader, content_type)
        assert (found.status, found.headers) == (415, ((b"accept", b"application/json"),))
    anything = body_reader({"*/*": {"schema": {}}})
    assert isinstance(anything.media(b"image/png", has_body=True), Media)


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        ({"type": "integer", "maximum": 5}, b"4", []),
        ({"type": "integer", "maximum": 5}, b"6", [("", "maximum")]),
        ({"type": "integer"}, b"x", [("", "type")]),
        ({"type": "string", "maxLength": 2}, b"ab", []),
        ({"type": "string", "maxLength": 2}, b"abc", [("", "maxLength")]),
        ({"type": "string"}, b"\xff", [("", "encoding")]),
    ],
)
def test_plain_text_is_held_to_its_schema(
    schema: dict[str, object], body: bytes, expected: list[tuple[str, str]]
) -> None:
    """A number in text is a number where the schema wants one."""
    assert rules(judged(body_reader({"text/plain": {"schema": schema}}), b"text/plain", body)) == expected


def test_parameters_of_a_declared_media_type_have_to_be_sent() -> None:
    """Versions in the media type have a schema each; a charset in a document means nothing."""
    content = {
        "application/json;version=1": {"schema": {"type": "integer"}},
        "application/json;version=2": {"schema": {"type": "string"}},
        "text/plain; charset=utf-8": {"schema": {"type": "integer"}},
    }
    reader = body_reader(content)
    assert judged(reader, b"application/json; version=1", b"1") == ()
    assert judged(reader, b'application/json; version="2"', b'"x"') == ()
    assert rules(judged(reader, b"application/json; version=2", b"1")) == [("", "type")]
    assert refused(reader, b"application/json").status == 415
    assert judged(reader, b"text/plain", b"1") == ()


def test_read_only_members_are_none_of_a_requests() -> None:
    """They are refused in a request, required or not."""
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
        "required": ["id", "name"],
    }
    reader = body_reader({"application/json": {"schema": schema}})
    assert judged(reader, JSON, b'{"name": "x"}') == ()
    assert judged(reader, JSON, b'{"name": "x", "id": 1}') != ()


def test_bodies_of_items_pass_as_they_are() -> None:
    """Of a stream there is a schema for each item only; what has a schema for the whole is held to that."""
    items = {"itemSchema": {"type": "object", "required": ["x"]}}
    whole = {**items, "schema": {"type": "array"}}
    for name in (b"application/jsonl", b"application/json-seq", b"application/json"):
        reader = body_reader({name.decode(): items}, version="3.2.0")
        assert judged(reader, name, b"[{}]") == ()
        assert refused(reader, b"text/csv").status == 415
    reader = body_reader({"application/json": whole}, version="3.2.0")
    assert rules(judged(reader, JSON, b"{}")) == [("", "type")]
