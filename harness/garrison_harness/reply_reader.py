"""Reads one reply with h11, and keeps the raw bytes where the server does not speak HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from garrison_harness.exchange import Failure, Headers, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

_RAW_BYTES = 4 * 1024
_HEAD_BYTES = 256 * 1024


class ReplyReader:
    """Takes bytes as they come; says when the reply is complete, or is none.

    Attributes:
        status: The status code once the head has come.
        headers: Of the reply, likewise.
        complete: The reply has ended as it announced, or by its bound.
        failed: It can never become complete.
    """

    def __init__(self, method: str, *, content_bytes: int, kept: int) -> None:
        """Expect the reply to a request of that method; take so much content, and keep so much of it."""
        self.status: int | None = None
        self.headers: Headers = ()
        self.complete = False
        self.failed: Failure | None = None
        self._reason = ""
        self._body = bytearray()
        self._content = 0
        self._cut = False
        self._bound = content_bytes
        self._kept = kept
        self._raw = bytearray()
        self._rest = bytearray()
        self._http = h11.Connection(our_role=h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
        # h11 has to believe that it sent the request, to know how the reply is framed.
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "GET"
        upgrade = [("Connection", "upgrade"), ("Upgrade", "websocket")] if known == "GET" else []
        self._http.send(h11.Request(method=known, target="/", headers=[("Host", "target"), *upgrade]))
        self._http.send(h11.EndOfMessage())

    def feed(self, data: bytes) -> bool:
        """Take what came, empty where the server closed; return whether it closed."""
        self._raw += data[: max(0, _RAW_BYTES - len(self._raw))]
        if self.complete:
            if not self._cut:
                self._rest += data[: max(0, _RAW_BYTES - len(self._rest))]
            return not data
        try:
            self._http.receive_data(data)
            for event in self._events():
                self._take(event)
        except h11.RemoteProtocolError:
            self.failed = self._protocol_failure(ended=not data)
        return not data

    def _events(self) -> Iterator[h11.Event]:
        while not self.complete:
            event = self._http.next_event()
            if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
                return
            yield event

    def _take(self, event: h11.Event) -> None:
        if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            # What follows is another protocol (RFC 9110 section 15.2.2).
            self.status, self.complete = event.status_code, True
            self._rest += self._http.trailing_data[0][:_RAW_BYTES]
        elif isinstance(event, h11.Response):
            self.status = event.status_code
            self._reason = event.reason.decode("latin-1")
            self.headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()
            )
        elif isinstance(event, h11.Data):
            data = bytes(event.data)
            self._content += len(data)
            self._body += data[: max(0, self._kept - len(self._body))]
            # An endless stream is complete once there is more of it than anyone judges.
            self.complete = self._cut = self._content >= self._bound
        elif isinstance(event, h11.EndOfMessage):
            self.complete = True
            self._rest += self._http.trailing_data[0][:_RAW_BYTES]

    def _protocol_failure(self, *, ended: bool) -> Failure:
        if not self._raw:
            return "closed"
        return "truncated" if ended and self.status is not None else "malformed"

    def reply(self, *, sent: int, elapsed: float, failure: Failure | None) -> Reply:
        """What was read, with what the connection knows."""
        if failure is None:
            failure = self.failed
        if failure is None and not self.complete:
            failure = self._protocol_failure(ended=True)
        return Reply(
            status=self.status,
            reason=self._reason,
            headers=self.headers,
            body=bytes(self._body),
            elapsed=elapsed,
            sent=sent,
            rest=bytes(self._rest),
            raw=bytes(self._raw),
            failure=failure,
        )
