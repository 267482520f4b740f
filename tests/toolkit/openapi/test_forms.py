"""Forms against their schema and the encoding of their properties."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.toolkit.openapi.one_operation import FORM, body_reader, judged, rules

if TYPE_CHECKING:
    from garrison.openapi.bodies import BodyReader

ORDER = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "paid": {"type": "boolean"},
        "note": {"type": "string", "maxLength": 9},
        "tags": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "sizes": {"type": "array", "items": {"type": "string"}},
        "words": {"type": "array", "items": {"type": "string"}},
        "metadata": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}},
        "expand": {"type": "array", "items": {"type": "string"}},
        "address": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "zip": {"type": "integer"}},
            "additionalProperties": False,
        },
        "options": {"type": "object", "properties": {"gift": {"type": "boolean"}}},
        "raw": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["amount"],
    "additionalProperties": False,
}
ENCODING = {
    "sizes": {"style": "form", "explode": False},
    "words": {"style": "spaceDelimited", "explode": False},
    "metadata": {"style": "deepObject", "explode": True},
    "expand": {"style": "deepObject", "explode": True},
    "address": {"style": "form", "explode": True},
    "raw": {"contentType": "application/json"},
}


@pytest.fixture(scope="module")
def orders() -> BodyReader:
    """What reads the form of an order."""
    return body_reader({FORM.decode(): {"schema": ORDER, "encoding": ENCODING}})


@pytest.mark.parametrize(
    "body",
    [
        b"amount=1",
        b"amount=1&",
        b"&&amount=1&paid=true&note=a+b%20c%2Bd",
        b"amount=1&note=%C3%A4",
        b"amount=1&note=",
        b"amount=1&tags=1&tags=2",
        b"amount=1&tags=1",
        b"amount=1&sizes=s,m,l",
        b"amount=1&words=a%20b",
        b"amount=1&words=a+b",
        b"amount=1&metadata[k]=v&metadata[z]=w",
        b"amount=1&metadata%5Bk%5D=v",
        b"amount=1&expand[]=a&expand[]=b",
        b"amount=1&expand[0]=a&expand[1]=b",
        b"amount=1&city=Ulm&zip=89073",
        b"amount=1&options=%7B%22gift%22%3Atrue%7D",
        b"amount=1&raw=[1,2]",
        b"%61mount=1",
    ],
)
def test_every_legal_way_to_write_a_field_is_accepted(orders: BodyReader, body: bytes) -> None:
    """Repeated, delimited, in brackets, member by member and as JSON, and what is optional may be missing."""
    assert judged(orders, FORM, body) == ()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"note=x", ("/amount", "required")),
        (b"amount", ("/amount", "type")),
        (b"amount=0", ("/amount", "minimum")),
        (b"amount=1.5", ("/amount", "type")),
        (b"amount=+1", ("/amount", "type")),
        (b"amount=1&paid=yes", ("/paid", "type")),
        (b"amount=1&amount=1", ("/amount", "repeated")),
        (b"amount=1&unknown=2", ("", "unknown")),
        (b"amount=1&Note=2", ("", "unknown")),
        (b"amount=1&note[a]=2", ("", "unknown")),
        (b"amount=1&tags=1&tags=x", ("/tags/1", "type")),
        (b"amount=1&tags=1&tags=2&tags=3&tags=4", ("/tags", "maxItems")),
        (b"amount=1&sizes=s&sizes=m", ("/sizes", "repeated")),
        (b"amount=1&metadata[k]=long", ("/metadata", "maxLength")),
        (b"amount=1&metadata[k]=a&metadata[k]=b", ("/metadata", "repeated")),
        (b"amount=1&city=Ulm&zip=x", ("/address/zip", "type")),
        (b"amount=1&options={", ("/options", "syntax")),
        (b"amount=1&options=%7B%22gift%22%3A1%7D", ("/options/gift", "type")),
        (b"amount=1&raw=1,2", ("/raw", "syntax")),
        (b"amount=1&raw=[1]&raw=[2]", ("/raw", "repeated")),
        (b"amount=1&note=%", ("/note", "encoding")),
        (b"amount=1&note=%ff", ("/note", "encoding")),
        (b"amount=1&note=\xc3\xa4", ("/note", "encoding")),
        (b"amount=1&%ff=x", ("", "encoding")),
        (b"amount=1" + b"&" * 20_000, ("", "size")),
    ],
)
def test_every_illegal_way_to_write_a_field_is_told(
    orders: BodyReader, body: bytes, expected: tuple[str, str]
) -> None:
    """With the field, where the document has its name."""
    assert rules(judged(orders, FORM, body)) == [expected]


def test_what_is_not_declared_is_text_where_it_may_be_there() -> None:
    """Under its name once, or as a list, and held to what the schema says of other members."""
    schema: dict[str, object] = {"type": "object", "properties": {"a": {"type": "integer"}}}
    open_ended = body_reader({FORM.decode(): {"schema": schema}})
    assert judged(open_ended, FORM, b"a=1&b=x&c=1&c=2&%00undeclared=1") == ()
    numbers = body_reader(
        {FORM.decode(): {"schema": {**schema, "additionalProperties": {"type": "integer"}}}}
    )
    assert judged(numbers, FORM, b"a=1&b=2") == ()
    assert rules(judged(numbers, FORM, b"a=1&b=x")) == [("", "type")]
    lists = {**schema, "additionalProperties": {"type": "array", "items": {"type": "integer"}}}
    assert judged(body_reader({FORM.decode(): {"schema": lists}}), FORM, b"b=2") == ()


def test_a_text_is_what_the_schema_lets_it_be() -> None:
    """A number is tried before a text, and the text after it where the number does not fit."""
    schema = {
        "type": "object",
        "properties": {
            "id": {"anyOf": [{"type": "integer", "maximum": 9}, {"type": "string", "pattern": "^[0-9]{5}$"}]}
        },
    }
    reader = body_reader({FORM.decode(): {"schema": schema}})
    assert judged(reader, FORM, b"id=7") == ()
    assert judged(reader, FORM, b"id=12345") == ()
    assert judged(reader, FORM, b"id=123") != ()


def test_an_empty_field_is_one_member_of_a_list() -> None:
    """As frameworks hand it to the app; a field with all members in it may have none."""
    tags = {"type": "array", "items": {"type": "integer"}}
    schema = {"type": "object", "properties": {"each": tags, "joined": tags}}
    encoding = {"joined": {"style": "form", "explode": False}}
    reader = body_reader({FORM.decode(): {"schema": schema, "encoding": encoding}})
    assert rules(judged(reader, FORM, b"each=")) == [("/each/0", "type")]
    assert judged(reader, FORM, b"joined=") == ()


@pytest.mark.parametrize(
    "beside",
    [
        {"patternProperties": {"^x-": {"type": "integer"}}},
        {"allOf": [{"patternProperties": {"^x-": {"type": "integer"}}}]},
        {"if": {"required": ["a"]}, "then": {"properties": {"x-b": {"type": "integer"}}}},
    ],
)
def test_a_field_may_be_evaluated_by_what_holds_beside(beside: dict[str, object]) -> None:
    """`unevaluatedProperties` refuses what nothing else in the schema speaks of, and no more."""
    schema = {"type": "object", "properties": {"a": {}}, **beside, "unevaluatedProperties": False}
    reader = body_reader({FORM.decode(): {"schema": schema}})
    assert judged(reader, FORM, b"a=1&x-b=2") == ()
    assert judged(reader, FORM, b"a=1&x-b=b") != ()
    assert rules(judged(reader, FORM, b"a=1&y=2")) == [("", "unevaluatedProperties")]


def test_an_empty_form_has_no_fields() -> None:
    """Where the body may be missing, so may all of its fields."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert judged(body_reader({FORM.decode(): {"schema": schema}}, required=False), FORM, b"") == ()


def test_a_form_of_many_fields_is_told_of_some() -> None:
    """Twenty errors are enough for anybody."""
    schema = {"type": "object", "properties": {f"f{at}": {"type": "integer"} for at in range(50)}}
    reader = body_reader({FORM.decode(): {"schema": schema}})
    assert len(judged(reader, FORM, b"&".join(b"f%d=%%" % at for at in range(50)))) == 20
