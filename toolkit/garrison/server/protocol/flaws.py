"""Why a connection is refused or ended below ASGI, and what its client is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.problems import MEDIA_TYPE, Problem, phrase

if TYPE_CHECKING:
    from garrison.asgi import Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One reason.

    Attributes:
        reason: constant for its kind; in the log and in the metric.
        status: the HTTP status code of the answer; None where there is nobody to answer.
        detail: one sentence for the client's developer.
        is_attack: whether no sound client does this, as with what smuggles requests past a proxy.
    """

    reason: str
    status: int | None = 400
    detail: str = ""
    is_attack: bool = True

    def reply(self, headers: Headers) -> bytes:
        """The whole answer, after which the connection ends.

        Args:
            headers: those that the server puts on every reply.
        """
        if self.status is None:
            return b""
        body = Problem(status=self.status, detail=self.detail).document(None)
        lines: Headers = [
            *headers,
            (b"content-type", MEDIA_TYPE),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *((b"allow", METHODS) for _ in range(self.status == METHOD.status)),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        start = f"HTTP/1.1 {self.status} {phrase(self.status)}\r\n".encode("ascii")
        return start + b"".join(b"%b: %b\r\n" % line for line in lines) + b"\r\n" + body


# RFC 9110 section 15.5.6 wants to know what is served.
METHODS: Final = b"GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"

HEAD_TIMEOUT: Final = Flaw(
    reason="head_timeout", status=408, detail="The request's head took too long.", is_attack=False
)
HEAD_SIZE: Final = Flaw(
    reason="head_size", status=431, detail="The request's head is too large.", is_attack=False
)
HEAD_LINES: Final = Flaw(
    reason="head_lines", status=431, detail="The request has too many header lines.", is_attack=False
)
METHOD: Final = Flaw(reason="method", status=405, detail="This server is no proxy.", is_attack=False)
VERSION: Final = Flaw(
    reason="version", status=505, detail="This server speaks HTTP/1.1 and HTTP/1.0.", is_attack=False
)
TARGET: Final = Flaw(reason="target", detail="The request's target is malformed.", is_attack=False)
LINE_END: Final = Flaw(reason="line_end", detail="Every line of a head ends with CR LF.")
FOLDED: Final = Flaw(reason="folded_line", detail="A header line is folded.")
FIELD: Final = Flaw(reason="field", detail="A header line is malformed.")
NO_HOST: Final = Flaw(reason="host_missing", detail="The request has no Host header.")
HOSTS: Final = Flaw(reason="host_repeated", detail="The request has more than one Host header.")
HOST: Final = Flaw(reason="host", detail="The Host header is malformed.")
LENGTHS: Final = Flaw(reason="length_repeated", detail="The request has more than one Content-Length.")
LENGTH: Final = Flaw(reason="length", detail="The Content-Length is malformed.")
FRAMINGS: Final = Flaw(
    reason="length_and_coding", detail="The request has both Content-Length and Transfer-Encoding."
)
CODING: Final = Flaw(
    reason="transfer_coding", status=501, detail="The only transfer coding here is one `chunked`."
)
OLD_CODING: Final = Flaw(reason="transfer_coding_in_1_0", detail="HTTP/1.0 has no transfer codings.")
CHUNK: Final = Flaw(reason="chunk", detail="A chunk of the body is malformed.")
OVERHEAD: Final = Flaw(reason="chunk_overhead", detail="There is too much around the chunks of the body.")
UPGRADE_BODY: Final = Flaw(reason="upgrade_body", detail="A WebSocket handshake has no body.")
MALFORMED: Final = Flaw(reason="malformed", detail="This is no HTTP request.", is_attack=False)

# What ends without an answer.
IDLE: Final = Flaw(reason="idle", status=None, is_attack=False)
UNREAD: Final = Flaw(reason="unread_body", status=None, is_attack=False)
STALLED: Final = Flaw(reason="stalled_reader", status=None, is_attack=False)

# What llhttp and h11 say of a request, by the first of these that is part of it; they have no error codes.
_SAYINGS: Final = (
    ("Duplicate Content-Length", LENGTHS),
    ("conflicting Content-Length", LENGTHS),
    ("present with", FRAMINGS),
    ("Content-Length", LENGTH),
    ("Transfer-Encoding", CODING),
    ("chunk", CHUNK),
    ("Chunk", CHUNK),
    ("Unexpected whitespace after header value", FOLDED),
    ("continuation line", FOLDED),
    ("Unexpected space after start line", FOLDED),
    ("CR", LINE_END),
    ("xpected LF", LINE_END),
    ("Missing mandatory Host", NO_HOST),
    ("multiple Host", HOSTS),
    ("Receive buffer too long", HEAD_SIZE),
    ("header", FIELD),
    ("HTTP version", VERSION),
    ("PRI", VERSION),
    ("url", TARGET),
)


def flaw_in_words(text: str) -> Flaw:
    """The reason that a parser means.

    Args:
        text: of the exception that it raised.
    """
    return next((flaw for words, flaw in _SAYINGS if words in text), MALFORMED)
