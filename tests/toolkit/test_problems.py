"""Problem documents as RFC 9457 has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest

from garrison.context import enter
from garrison.problems import Problem, phrase, reject
from tests.toolkit.driver import call, handshake, http_scope, websocket_scope

if TYPE_CHECKING:
    from garrison.asgi import Receive, Scope, Send


def test_a_problem_says_no_more_than_it_must() -> None:
    """Type, title and status are always there; detail and id only where there are any."""
    assert orjson.loads(Problem(status=404).document(None)) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
    }


def test_a_problem_can_say_more() -> None:
    """Detail, a title and a type of its own, the id and extensions are members of the document."""
    problem = Problem(
        status=429, detail="Slow down.", type="urn:x", title="Full", extensions={"quotas": ["a"]}
    )
    assert orjson.loads(problem.document("abc")) == {
        "type": "urn:x",
        "title": "Full",
        "status": 429,
        "detail": "Slow down.",
        "request_id": "abc",
        "quotas": ["a"],
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (413, "Content Too Large"),
        (414, "URI Too Long"),
        (416, "Range Not Satisfiable"),
        (422, "Unprocessable Content"),
        (500, "Internal Server Error"),
        (799, "Unknown"),
    ],
)
def test_phrases_are_those_of_rfc_9110(status: int, words: str) -> None:
    """Old names of the standard library do not leak out, and an unknown status has a word too."""
    assert phrase(status) == words


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """A layer that refuses everything."""
    scope, context = enter(scope)
    context.request_id = "abc"
    await reject(scope, receive, send, context, "door", Problem(status=403), [(b"x-why", b"closed")])
    assert context.rejected_by == "door"


def test_a_refusal_is_a_whole_reply() -> None:
    """It has the media type, a length, `no-store`, what the layer adds, and the id."""
    reply = call(refusing, http_scope())
    assert reply.headers == [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", b"no-store"),
        (b"x-why", b"closed"),
        (b"content-length", b"%d" % len(reply.body)),
    ]
    assert reply.json["request_id"] == "abc"
    assert call(refusing, http_scope(method="HEAD")).headers == reply.headers
    assert call(refusing, http_scope(method="HEAD")).body == b""


def test_a_refused_handshake_is_denied_or_closed() -> None:
    """A server that can send a reply in place of a handshake gets one, another a close."""
    denied = handshake(refusing)
    # The handshake itself is taken from the server before it is answered.
    assert (denied.reply.status, denied.received) == (403, 1)
    closed = handshake(refusing, websocket_scope(denial=False)).sent
    assert closed == [{"type": "websocket.close", "code": 1008, "reason": ""}]
