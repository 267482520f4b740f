"""Replies against what their operation declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.toolkit.openapi.one_operation import reply_reader, rules

if TYPE_CHECKING:
    from garrison.openapi.model import Violation
    from garrison.openapi.responses import ReplyReader

PET = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "password": {"type": "string", "writeOnly": True},
        "id": {"type": "integer", "readOnly": True},
    },
    "required": ["name", "id"],
}
PROBLEM = {"application/problem+json": {"schema": {"type": "object"}}}
REPLIES = {
    "200": {
        "description": "One pet.",
        "headers": {
            "X-Rest": {"required": True, "schema": {"type": "integer", "minimum": 0}},
            "X-Tags": {"schema": {"type": "array", "items": {"type": "string", "maxLength": 2}}},
        },
        "content": {
            "application/json": {"schema": PET},
            "text/plain": {"schema": {"type": "string", "maxLength": 3}},
            "text/event-stream": {"schema": {"type": "string"}},
            "image/*": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "204": {"description": "Nothing.", "content": {"application/json": {"schema": PET}}},
    "4XX": {"description": "Refused.", "content": PROBLEM},
    "404": {"description": "Not found."},
}
REST = (b"X-Rest", b"3")


@pytest.fixture(scope="module")
def replies() -> ReplyReader:
    """What reads the replies."""
    return reply_reader(REPLIES)


def judged(
    reader: ReplyReader, status: int, body: bytes, *headers: tuple[bytes, bytes]
) -> list[tuple[str, str]]:
    """What is wrong with a whole reply."""
    head = reader.head(status, headers)
    found: tuple[Violation, ...] = head.violations
    if head.body is not None:
        found += head.body.check(body)
    return rules(found)


def of(media_type: bytes) -> tuple[bytes, bytes]:
    """A Content-Type."""
    return (b"Content-Type", media_type)


@pytest.mark.parametrize(
    ("status", "body", "headers", "expected"),
    [
        (200, b'{"name": "Rex", "id": 1}', [REST, of(b"application/json")], []),
        (200, b'{"name": "Rex"}', [REST, of(b"application/json")], [("/id", "required")]),
        (200, b'{"name": 1, "id": 1}', [REST, of(b"application/json; charset=utf-8")], [("/name", "type")]),
        (200, b"{", [REST, of(b"application/json")], [("", "syntax")]),
        (200, b"", [REST, of(b"application/json")], [("", "syntax")]),
        (200, b"abc", [REST, of(b"text/plain")], []),
        (200, b"abcd", [REST, of(b"text/plain")], [("", "maxLength")]),
        (200, b"", [REST, of(b"text/html")], [("", "mediaType")]),
        (200, b"", [REST, of(b"html")], [("", "mediaType")]),
        (200, b"", [REST], [("", "mediaType")]),
        (200, b"", [REST, (b"Content-Length", b"0")], []),
        (200, b"x", [of(b"image/png")], [("/x-rest", "required")]),
        (200, b"x", [of(b"image/png"), (b"x-rest", b"-1")], [("/x-rest", "minimum")]),
        (200, b"x", [of(b"image/png"), REST, (b"X-Tags", b"a, b")], []),
        (200, b"x", [of(b"image/png"), REST, (b"X-Tags", b"a,long")], [("/x-tags/1", "maxLength")]),
        (204, b"", [], []),
        (422, b"{}", [of(b"application/problem+json")], []),
        (422, b"[]", [of(b"application/problem+json")], [("", "type")]),
        (404, b"whatever", [of(b"text/html")], []),
        (201, b"", [], [("", "status")]),
        (206, b"part", [of(b"application/json")], []),
        (200, b"part", [REST, of(b"application/json"), (b"Content-Range", b"bytes 0-3/9")], []),
    ],
)
def test_a_reply_is_held_to_what_is_declared_for_its_status(
    replies: ReplyReader,
    status: int,
    body: bytes,
    headers: list[tuple[bytes, bytes]],
    expected: list[tuple[str, str]],
) -> None:
    """The exact status first, then its class; headers, media type and body."""
    assert judged(replies, status, body, *headers) == expected


def test_the_default_is_for_every_other_status() -> None:
    """With one there is no undeclared status."""
    reader = reply_reader(
        {"200": {"description": "Fine"}, "default": {"description": "Other", "content": PROBLEM}}
    )
    assert judged(reader, 500, b"[]", of(b"application/problem+json")) == [("", "type")]
    assert judged(reader, 200, b"[]", of(b"application/problem+json")) == []


@pytest.mark.parametrize("status", [301, 304, 405, 413, 429, 500, 503])
def test_what_http_itself_has_need_not_be_declared(status: int) -> None:
    """Redirects, failures and what any request can meet are no breach of an operation's document."""
    assert judged(reply_reader({"200": {"description": "Fine"}}), status, b"") == []


@pytest.mark.parametrize("status", [401, 403])
def test_an_operation_with_security_may_refuse_callers(status: int) -> None:
    """Its security requirement says so already; one that is open to all has to declare it."""
    replies = {"200": {"description": "Fine"}}
    assert judged(reply_reader(replies), status, b"") == [("", "status")]
    assert judged(reply_reader(replies, security=[{"key": []}]), status, b"") == []


def test_what_only_clients_write_is_not_shown(replies: ReplyReader) -> None:
    """A write-only member in a reply is a leak, and a read-only one belongs there."""
    found = judged(replies, 200, b'{"name": "Rex", "id": 1, "password": "x"}', REST, of(b"application/json"))
    assert len(found) == 1


@pytest.mark.parametrize(
    "headers",
    [
        [of(b"text/event-stream")],
        [of(b"image/png")],
        [of(b"application/json"), (b"Content-Encoding", b"gzip")],
    ],
)
def test_streams_are_not_read(replies: ReplyReader, headers: list[tuple[bytes, bytes]]) -> None:
    """Nor is anything else that has no value for a schema."""
    head = replies.head(200, [REST, *headers])
    assert head.violations == ()
    assert head.body is None


def test_the_reply_to_a_head_request_has_no_body(replies: ReplyReader) -> None:
    """Its headers are those of a GET."""
    head = replies.head(200, [REST, of(b"application/json")], to_head=True)
    assert head == ((), None)
    assert rules(replies.head(200, [], to_head=True).violations) == [("/x-rest", "required")]


def test_an_operation_without_replies_promises_nothing() -> None:
    """So that nothing is wrong."""
    assert judged(reply_reader({}), 500, b"") == []
