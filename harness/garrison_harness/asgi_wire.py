"""Reads a request as a server reads it, and a reply as its client does, without any connection."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import h11

from garrison_harness.exchange import Reply

if TYPE_CHECKING:
    from garrison_harness.asgi_call import Call
    from garrison_harness.exchange import Failure, Request

_HEAD_BYTES: Final = 64 * 1024 * 1024  # what a server refuses is not to be judged here
# A server's own words for an app that failed before it answered.
_FAILED: Final = b"Internal Server Error"


def parsed(request: Request) -> tuple[h11.Request, list[bytes], bool]:
    """The head, the pieces of the body, and whether the client announced more than it sends.

    Args:
        request: What the client sends.

    Raises:
        h11.RemoteProtocolError: It is no request, or its head is not whole.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
    head: h11.Request | None = None
    body: list[bytes] = []
    for piece in request.pieces:
        if not isinstance(piece, bytes):
            continue
        connection.receive_data(piece)
        while isinstance(event := connection.next_event(), h11.Event):
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return head, body, False
    if head is None:
        raise h11.RemoteProtocolError("no whole head")
    return head, body, True


def taken_of(request: Request, pieces: list[bytes], call: Call) -> int:
    """How many bytes of the request the app had taken when its reply began.

    Args:
        request: What the client sends.
        pieces: Of its body.
        call: What became of it.
    """
    content = sum(map(len, pieces))
    # All of the content means all of its framing, too.
    return request.size if call.sent == content else request.size - content + call.sent


def reply_of(request: Request, call: Call, failure: Failure | None, *, start: float, taken: int) -> Reply:
    """The reply as a client records it.

    Args:
        request: What it sent.
        call: What became of it.
        failure: What went wrong, as far as the client's patience is concerned.
        start: When it was sent, on the monotonic clock.
        taken: How many bytes of it the app had taken when its reply began.
    """
    elapsed = (call.ended or time.monotonic()) - start
    if call.status is None and failure is None:
        # What every server answers for an app that raised, or returned without a word.
        kind, length = ("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(_FAILED)))
        return Reply(
            status=500,
            reason=_FAILED.decode(),
            headers=(kind, length),
            body=_FAILED,
            elapsed=elapsed,
            sent=request.size,
        )
    return Reply(
        status=call.status,
        headers=call.headers,
        # A server sends no content in reply to HEAD, whatever the app gives it.
        body=b"" if request.method == "HEAD" else bytes(call.body),
        elapsed=elapsed,
        sent=taken,
        failure=failure if call.whole or failure else "truncated",
    )
