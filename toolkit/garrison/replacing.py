"""What leaves in place of an error reply of the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.asgi import headers_without
from garrison.failure_log import identify
from garrison.problems import rendered

if TYPE_CHECKING:
    from garrison.asgi import Headers, Message
    from garrison.held_reply import Held
    from garrison.problems import Problem

# What describes the body that is replaced, and so goes with it (RFC 9110 section 8).
REPRESENTATION: Final = frozenset(
    {
        b"accept-ranges",
        b"cache-control",
        b"content-digest",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-security-policy",
        b"content-type",
        b"digest",
        b"etag",
        b"expires",
        b"last-modified",
        b"repr-digest",
        b"transfer-encoding",
    }
)
# What no longer fits a body from which values were taken.
MEASURES: Final = frozenset(
    {b"content-digest", b"content-encoding", b"content-length", b"digest", b"etag", b"repr-digest"}
)


def instead(held: Held, problem: Problem) -> tuple[Message, Message]:
    """A problem in place of the reply, with its header lines that are not about its body."""
    kept = headers_without(held.headers, REPRESENTATION)
    lines, body = rendered(held.scope, problem, identify(held.context), kept)
    return _messages(held, problem.status, lines, body)


def shortened_to(held: Held, body: bytes) -> tuple[Message, Message]:
    """The reply with another body of the same kind."""
    return _messages(held, held.status, headers_without(held.headers, MEASURES), body)


def _messages(held: Held, status: int, headers: Headers, body: bytes) -> tuple[Message, Message]:
    lines = [*headers, (b"content-length", b"%d" % len(body))]
    return (
        {"type": "http.response.start", "status": status, "headers": lines},
        {"type": "http.response.body", "body": b"" if held.scope["method"] == "HEAD" else body},
    )
