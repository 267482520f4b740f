"""The vocabulary of ASGI: headers as they come, and how far a reply is."""

from __future__ import annotations

from typing import Any

import pytest

from garrison.asgi import Progress, accepts_denial, content_length, header, headers_without, status_of
from tests.toolkit.driver import http_scope, websocket_scope


def test_the_first_of_several_headers_counts() -> None:
    """A look-up gives the first value, and None where there is none."""
    lines = [(b"a", b"1"), (b"b", b""), (b"a", b"2")]
    assert (header(lines, b"a"), header(lines, b"b"), header(lines, b"c")) == (b"1", b"", None)


def test_removing_headers_keeps_all_others() -> None:
    """Names go in any case; order and duplicates of the rest stay, and the list is a new one."""
    lines = [(b"Set-Cookie", b"1"), (b"Server", b"x"), (b"set-cookie", b"2"), (b"SERVER", b"y")]
    kept = headers_without(lines, frozenset({b"server"}))
    assert kept == [(b"Set-Cookie", b"1"), (b"set-cookie", b"2")]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("value", "length"),
    [(b"0", 0), (b"17", 17), (b"007", 7), (b"9" * 20, int("9" * 20)), (b"9" * 21, None), (b"9" * 9999, None)]
    + [(value, None) for value in (b"", b"-1", b"+1", b" 1", b"1.0", b"0x1", b"\xb2", b"1, 1")],
)
def test_a_length_is_decimal_digits(value: bytes, length: int | None) -> None:
    """Nothing but digits is a length, and not more of them than a body can have."""
    assert content_length(value) == length


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"type": "http.response.start", "status": 201}, 201),
        ({"type": "websocket.http.response.start", "status": 401}, 401),
        ({"type": "websocket.accept"}, 101),
        ({"type": "websocket.close"}, 403),
        ({"type": "http.response.body"}, None),
        ({"type": "lifespan.startup.complete"}, None),
    ],
)
def test_a_message_decides_a_status_or_none(message: dict[str, Any], status: int | None) -> None:
    """Accepting a WebSocket is a 101, closing it before that a 403."""
    assert status_of(message) == status


START: dict[str, Any] = {"type": "http.response.start", "status": 200}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"ab"}


@pytest.mark.parametrize(
    ("messages", "ends"),
    [
        ([START, BODY], [False, True]),
        ([BODY], [True]),
        ([START, {**BODY, "more_body": True}, BODY], [False, False, True]),
        ([START, {"type": "http.response.body"}], [False, True]),
        ([START, {"type": "http.response.pathsend", "path": "/x"}], [False, True]),
        ([{**START, "trailers": True}, BODY, {"type": "http.response.trailers"}], [False, False, True]),
        (
            [{**START, "trailers": True}, BODY, {"type": "http.response.trailers", "more_trailers": True}],
            [False, False, False],
        ),
        ([{"type": "http.response.debug"}, START, BODY, BODY], [False, False, True, False]),
        ([{"type": "websocket.accept"}, {"type": "websocket.close"}], [False, False]),
    ],
)
def test_the_last_byte_is_told_once(messages: list[dict[str, Any]], ends: list[bool]) -> None:
    """Exactly one message ends a reply, with trailers, files and extensions around it or not."""
    progress = Progress()
    assert [progress.sent(message) for message in messages] == ends
    assert progress.ended is any(ends)
    assert progress.size == sum(len(message.get("body", b"")) for message in messages)


def test_the_first_status_stays() -> None:
    """A WebSocket that was accepted and then closed is a 101."""
    progress = Progress()
    for kind in ("websocket.accept", "websocket.close"):
        progress.sent({"type": kind})
    assert progress.status == 101


def test_a_server_says_whether_it_can_deny_with_a_reply() -> None:
    """The extension is what counts, and a server that names no extensions has none."""
    assert accepts_denial(websocket_scope())
    assert not accepts_denial(websocket_scope(denial=False))
    assert not accepts_denial({**http_scope(), "extensions": None})
