"""What a Content-Type says, and which declared range it is in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.openapi.media_types import (
    MediaTypeError,
    content_encoding_of,
    content_type_of,
    find,
    is_within,
    kind_of,
    parse,
    specific_first,
)
from garrison.openapi.model import Media, Shape


def media(declared: str, **parameters: str) -> Media:
    """A declared media type."""
    shape = Shape(types=frozenset({"object"}))
    return Media(
        range=declared, parameters=tuple(parameters.items()), shape=shape, schema="", pointer=declared
    )


@pytest.mark.parametrize(
    ("value", "name", "parameters"),
    [
        (b"application/json", "application/json", {}),
        (b" Application/JSON ;Charset=UTF-8", "application/json", {"charset": "UTF-8"}),
        (b'text/plain;a="x;\\"y\\" z" ; b=c;', "text/plain", {"a": 'x;"y" z', "b": "c"}),
        (b"application/vnd.api+json;\tv=1", "application/vnd.api+json", {"v": "1"}),
        (b'multipart/form-data; boundary=""', "multipart/form-data", {"boundary": ""}),
        (b'a/b; c="\xff"', "a/b", {"c": "\xff"}),
    ],
)
def test_a_content_type_is_read_as_http_has_it(value: bytes, name: str, parameters: dict[str, str]) -> None:
    """Case, blanks, quotes and escapes make no difference; values keep their case."""
    assert parse(value) == (name, parameters)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"json",
        b"application/",
        b"/json",
        b"application/json/x",
        b"application/json, text/plain",
        b"application / json",
        b"application/json charset=utf-8",
        b"application/json; charset",
        b"application/json; charset = utf-8",
        b'application/json; charset="utf-8',
        b"application/json; charset=utf-8; CHARSET=utf-16",
        b"multipart/form-data; boundary=a; boundary=b",
        rb'multipart/form-data; boundary="\a"',
        b"application/json\x00",
        b"\xff/json",
    ],
)
def test_a_malformed_content_type_is_refused(value: bytes) -> None:
    """What parsers read in different ways is no media type, and so is a parameter that is there twice."""
    with pytest.raises(MediaTypeError):
        parse(value)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_parser(value: bytes) -> None:
    """Whatever a client sends is a media type or is not."""
    try:
        name, _ = parse(value)
    except MediaTypeError:
        return
    assert name == name.lower()
    assert name.count("/") == 1


def test_a_long_content_type_takes_linear_time() -> None:
    """A header block of quotes and blanks is no way to stop the server."""
    with pytest.raises(MediaTypeError):
        parse(b"a/b;" + b' "\\' * 20_000)
    with pytest.raises(MediaTypeError):
        parse(b"a/b" + b"; " * 50_000 + b'a="' + b"\\a" * 50_000)


def test_several_content_types_are_none() -> None:
    """Which of two a parser believes is unknown, so that together they are malformed."""
    assert content_type_of([(b"accept", b"*/*")]) is None
    assert content_type_of([(b"content-type", b"text/plain")]) == b"text/plain"
    both = content_type_of([(b"content-type", b"text/plain"), (b"content-type", b"application/json")])
    with pytest.raises(MediaTypeError):
        parse(both or b"")


def test_several_encodings_are_a_list() -> None:
    """The second one counts as much as the first."""
    lines = [(b"content-encoding", b"identity"), (b"content-encoding", b"deflate")]
    assert content_encoding_of(lines) == b"identity, deflate"
    assert content_encoding_of([]) is None


@pytest.mark.parametrize(
    ("name", "declared", "expected"),
    [
        ("application/json", "application/json", True),
        ("application/json", "application/*", True),
        ("application/json", "*/*", True),
        ("application/json", "text/*", False),
        ("application/jsonp", "application/json", False),
        ("application/vnd.a+json", "application/*+json", True),
        ("application/json", "application/*+json", False),
        ("application/+json", "application/*+json", False),
    ],
)
def test_ranges_hold_what_they_say(name: str, declared: str, expected: bool) -> None:
    """A star stands for something, and nothing else is a pattern."""
    assert is_within(name, declared) is expected


def test_the_most_specific_media_type_decides() -> None:
    """An exact one comes before its range, one with parameters before one without, and `*/*` last."""
    declared = specific_first(
        [media("*/*"), media("text/*"), media("a/b"), media("a/b", v="2"), media("text/html")]
    )

    def found(sent: bytes) -> tuple[str, bool] | None:
        match = find(declared, parse(sent))
        return None if match is None else (match.range, bool(match.parameters))

    assert found(b"a/b") == ("a/b", False)
    assert found(b"a/b; v=2; charset=utf-8") == ("a/b", True)
    assert found(b"a/b; v=3") == ("a/b", False)
    assert found(b"text/html") == ("text/html", False)
    assert found(b"text/plain") == ("text/*", False)
    assert found(b"image/png") == ("*/*", False)
    assert find(declared[:-1], parse(b"image/png")) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("application/json", "json"),
        ("application/problem+json", "json"),
        ("text/json", "json"),
        ("application/x-www-form-urlencoded", "form"),
        ("multipart/form-data", "multipart"),
        ("multipart/byteranges", "opaque"),
        ("text/plain", "text"),
        ("text/xml", "opaque"),
        ("text/event-stream", "opaque"),
        ("application/xml", "opaque"),
        ("application/octet-stream", "opaque"),
        ("application/x-ndjson", "opaque"),
    ],
)
def test_what_has_a_value_for_a_schema_is_read(name: str, kind: str) -> None:
    """JSON, forms, multipart and text are; XML, bytes and streams without an end are not."""
    assert kind_of(name) == kind
