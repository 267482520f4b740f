"""Who gets a page: browsers that follow a link, and nobody who fetches data."""

from __future__ import annotations

import pytest

from garrison.negotiation import prefers_page
from tests.toolkit.driver import http_scope, websocket_scope

FIREFOX = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CHROME = (
    b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    b"application/signed-exchange;v=b3;q=0.7"
)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (FIREFOX, True),
        (CHROME, True),
        (b"text/html", True),
        (b"TEXT/HTML; charset=utf-8", True),
        (b"text/html;q=0.2", True),
        (b"text/html, */*;q=0.01", True),
        (b"text/html;q=0.5, application/*;q=0.4", True),
        (b"application/json;q=0.1, text/html;q=0.2", True),
        (b"", False),
        (b"*/*", False),
        (b"text/*, application/json;q=0", False),
        (b"text/html, */*", False),
        (b"text/html, application/json", False),
        (b"text/html;q=0.5, application/*;q=0.6", False),
        (b"text/html;q=0.5, application/problem+json", False),
        (b"application/json, text/plain, */*", False),
        (b"text/html;q=0", False),
        (b"text/html;q=high", False),
        (b"text/html;q=7", False),
        (b"text/html;q=nan", False),
        (b"text/html;q=0, */*", False),
        (b"application/xhtml+xml", False),
        (b"image/avif,image/webp,*/*;q=0.8", False),
        (b"text/html," + b"a/b," * 1000, False),
        (b"\xff/\x00,text/html", True),
        (b";;;q=,,html/", False),
    ],
)
def test_what_a_client_would_rather_have(accept: bytes, page: bool) -> None:
    """Weights decide, the most specific range counts, and in doubt it is an API client."""
    assert prefers_page(http_scope(headers=[(b"accept", accept)])) is page


def test_several_lines_are_one() -> None:
    """A list header may come in lines."""
    lines = [(b"accept", b"application/json;q=0.5"), (b"accept", b"text/html")]
    assert prefers_page(http_scope(headers=lines))
    assert not prefers_page(http_scope())


def test_a_handshake_gets_data() -> None:
    """Nobody sees the reply to a WebSocket handshake."""
    assert not prefers_page(websocket_scope(headers=[(b"accept", FIREFOX)]))
