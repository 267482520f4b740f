"""What goes over a connection: a request as pieces, and the reply as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from garrison_harness.finding import printable

_SUMMARY_LENGTH = 80
_RAW_LENGTH = 40

Failure = Literal["abandoned", "refused", "closed", "reset", "timeout", "left", "malformed", "truncated"]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent on a connection of its own, and how.

    Attributes:
        method: The method, by which the reply is read: a reply to HEAD has no body.
        target: The request target, for people.
        pieces: What is sent in turn: bytes as they are, a number as a pause in seconds. Sending ends as soon
            as a reply begins.
        plain: Any server takes this as an ordinary request, so that the app and not the server answers.
        linger: Seconds to listen on after the reply is complete.
        kept: Bytes of the reply's content that are recorded.
        voice: Requests of one check with the same number come from the same client address; None for an
            address of its own.
        reading: Seconds to wait for the end of the reply once its head is there, as with a stream that has no
            end; None for as long as an exchange may take.
        bare: The pieces go over the bare connection, even where the port speaks TLS.
        leaves: Seconds after which the client hangs up if the reply has not ended; None for one that waits
            for as long as any exchange may take.
        near: It comes from where a proxy on the same machine would speak from, which servers trust.
    """

    method: str
    target: str
    pieces: tuple[bytes | float, ...]
    plain: bool = True
    linger: float = 0.0
    kept: int = 256 * 1024
    voice: int | None = None
    reading: float | None = None
    bare: bool = False
    leaves: float | None = None
    near: bool = False

    @property
    def summary(self) -> str:
        """Method and target, printable and short."""
        return printable(f"{self.method} {self.target}", _SUMMARY_LENGTH)

    @property
    def size(self) -> int:
        """How many bytes there are to send."""
        return sum(len(piece) for piece in self.pieces if isinstance(piece, bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back.

    Attributes:
        status: The status code; None where no reply could be read.
        reason: The reason phrase.
        headers: Names and values as they were sent, in order, with duplicates.
        body: The content, up to a bound.
        elapsed: Seconds from the first byte sent to the end of the reply.
        sent: Bytes of the request that had been sent when the reply began.
        rest: What came on the connection after the reply, up to a bound.
        raw: The first bytes as they came.
        failure: What went wrong: the exchange was `abandoned` (nothing left to spend), the connection was
            `refused`, `closed` or `reset` with no reply, the reply did not end in time (`timeout`; with a
            status if it had begun), was left behind as the request says (`left`), was no HTTP
            (`malformed`), or was shorter than announced (`truncated`).
    """

    status: int | None = None
    reason: str = ""
    headers: Headers = ()
    body: bytes = b""
    elapsed: float = 0.0
    sent: int = 0
    rest: bytes = b""
    raw: bytes = b""
    failure: Failure | None = None

    def all(self, name: str) -> list[str]:
        """The values of every header of that name, in order."""
        return [value.strip() for found, value in self.headers if found.lower() == name]

    def get(self, name: str) -> str:
        """The header's values joined as RFC 9110 section 5.3 joins them, empty where there is none."""
        return ", ".join(self.all(name))

    @property
    def media_type(self) -> str:
        """The type of the content in lower case, without parameters."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether a browser would show this as a page."""
        return self.media_type in {"text/html", "application/xhtml+xml"}

    @property
    def is_json(self) -> bool:
        """Whether a program would read this as JSON."""
        return self.media_type == "application/json" or self.media_type.endswith("+json")

    @property
    def text(self) -> str:
        """The content as text, whatever its encoding."""
        return self.body.decode("utf-8", "replace")

    @property
    def outcome(self) -> str:
        """Status and reason, or what went wrong, in a few words."""
        if self.failure == "malformed":
            return f"no HTTP reply ({printable(self.raw.decode('latin-1'), _RAW_LENGTH)})"
        if self.status is None:
            return f"no reply ({self.failure})"
        return f"{self.status} {self.reason}".strip() + (f" ({self.failure})" if self.failure else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request, its reply, and when it was sent.

    Attributes:
        label: The name by which its check knows it.
        at: When it was sent, in seconds on the monotonic clock.
    """

    label: str
    request: Request
    reply: Reply
    at: float = 0.0

    @property
    def summary(self) -> str:
        """The exchange in one line."""
        return f"{self.request.summary} -> {self.reply.outcome}"
