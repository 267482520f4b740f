"""h11 without its lenience: what it joins, folds and lets pass, proxies may read in another way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

import h11

from garrison.server.protocol.flaws import (
    FRAMINGS,
    HEAD_LINES,
    HEAD_SIZE,
    LENGTHS,
    OVERHEAD,
    Flaw,
    flaw_in_words,
)
from garrison.server.protocol.h11_buffer import StrictBuffer
from garrison.server.protocol.heads import (
    flaw_in_framing,
    flaw_in_handshake,
    flaw_in_host,
    flaw_in_lines,
    flaw_in_version,
    origin_form,
    with_host,
)

if TYPE_CHECKING:
    from h11 import Event

    from garrison.asgi import Headers

# What may surround the chunks of a body: so much for each of its bytes, which the shortest chunks need
# and more, and so much in all, for extensions and trailers.
OVERHEAD_PER_BYTE: Final = 16
OVERHEAD_IN_ALL: Final = 16 * 1024

_LENGTHS: Final = re.compile(rb"\ncontent-length:([^\r]*)", re.IGNORECASE)


class StrictConnection(h11.Connection):
    """The server's side of a connection.

    Args:
        max_bytes: of a head.
        max_lines: of a head.

    Attributes:
        flaw: why the client was refused; None unless it was.
    """

    def __init__(self, max_bytes: int, max_lines: int) -> None:
        super().__init__(h11.SERVER, max_bytes)
        self.flaw: Flaw | None = None
        self._max_bytes = max_bytes
        self._max_lines = max_lines
        self._receive_buffer: StrictBuffer = StrictBuffer()
        # Of a body in chunks: its bytes, and those that came over the wire.
        self._is_chunked = False
        self._body = self._wire = 0
        # The last one that was sound.
        self._host: bytes | None = None

    def receive_data(self, data: bytes) -> None:
        """Take what has come."""
        if self._is_chunked and self.their_state is h11.SEND_BODY:
            self._wire += len(data)
        super().receive_data(data)

    def next_event(self) -> Event | type[h11.NEED_DATA | h11.PAUSED]:
        """The next event.

        Raises:
            RemoteProtocolError: the client is refused; `flaw` says why.
        """
        lengths = 0
        if self.their_state is h11.IDLE:
            self._receive_buffer.skip_line_ends()
            lengths = self._examine_head()
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            self.flaw = flaw_in_words(str(error))
            raise
        if type(event) is h11.Request:
            return self._judged(event, lengths)
        if self._is_chunked:
            self._count(event)
        return event

    def _refuse(self, flaw: Flaw) -> NoReturn:
        self.flaw = flaw
        raise h11.RemoteProtocolError(flaw.detail, error_status_hint=flaw.status or 400)

    def _examine_head(self) -> int:
        """Refuse what h11 does not look at; the number of the lengths, of which it makes one."""
        data, _ = self.trailing_data
        if not data:
            return 0
        end = data.find(b"\r\n\r\n")
        head = data if end < 0 else data[: end + 2]
        if len(head) > self._max_bytes:
            self._refuse(HEAD_SIZE)
        flaw = flaw_in_lines(head)
        if flaw is not None:
            self._refuse(flaw)
        if head.count(b"\n") > self._max_lines + 1:
            self._refuse(HEAD_LINES)
        if b"\ncontent-length:" not in head.lower():
            return 0
        return sum(1 + value.count(b",") for value in _LENGTHS.findall(head))

    def _judged(self, event: h11.Request, lengths: int) -> h11.Request:
        """The request, with its target as apps know it."""
        lines = [(name.lower(), value) for name, value in event.headers.raw_items()]
        by_name = dict(lines)
        self._is_chunked = self._receive_buffer.is_chunked = b"transfer-encoding" in by_name
        if event.http_version != b"1.1" or self._is_chunked or lengths > 1 or b"upgrade" in by_name:
            self._examine(event, lines, lengths)
        host = by_name.get(b"host")
        if host is not None and host != self._host:
            flaw = flaw_in_host([host], "1.1")
            if flaw is not None:
                self._refuse(flaw)
            self._host = host
        if self._is_chunked:
            self._body = self._wire = 0
        return event if event.target.startswith(b"/") else self._in_origin_form(event, lines)

    def _examine(self, event: h11.Request, lines: Headers, lengths: int) -> None:
        version = event.http_version.decode("ascii")
        if self._is_chunked and lengths:
            self._refuse(FRAMINGS)
        flaw = flaw_in_version(version) or (LENGTHS if lengths > 1 else flaw_in_framing(lines, version))
        if flaw is None and any(
            name == b"upgrade" and value.lower() == b"websocket" for name, value in lines
        ):
            flaw = flaw_in_handshake(lines)
        if flaw is not None:
            self._refuse(flaw)

    def _in_origin_form(self, event: h11.Request, lines: Headers) -> h11.Request:
        found = origin_form(event.method.decode("ascii"), event.target)
        if isinstance(found, Flaw):
            self._refuse(found)
        target, host = found
        if host is not None:
            lines = with_host(lines, host)
        return h11.Request(method=event.method, target=target, headers=lines, http_version=event.http_version)

    def _count(self, event: Event | type[h11.NEED_DATA | h11.PAUSED]) -> None:
        """Bound what surrounds the chunks."""
        if isinstance(event, h11.Data):
            self._body += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            self._is_chunked = self._receive_buffer.is_chunked = False
            return
        if self._wire > OVERHEAD_IN_ALL + self._max_bytes + OVERHEAD_PER_BYTE * self._body:
            self._refuse(OVERHEAD)
