"""uvicorn's protocol on httptools, guarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from garrison.server.protocol.flaws import (
    HEAD_LINES,
    HEAD_SIZE,
    MALFORMED,
    OVERHEAD,
    Flaw,
    flaw_in_words,
)
from garrison.server.protocol.h11_connection import OVERHEAD_IN_ALL, OVERHEAD_PER_BYTE
from garrison.server.protocol.heads import (
    flaw_in_framing,
    flaw_in_handshake,
    flaw_in_host,
    flaw_in_version,
    origin_form,
    with_host,
)
from garrison.server.protocol.sequence import SequenceProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from garrison.asgi import Headers

SLASH: Final = b"/"[0]

# What a line has beside its name and its value: a colon, a space and its end.
AROUND: Final = 4


class RefusedHead(Exception):  # noqa: N818 - it is what the parser is stopped with
    """Stops the parser; the protocol knows why."""


class GuardedHttpToolsProtocol(SequenceProtocol, HttpToolsProtocol):
    """A connection that is parsed in C.

    Args:
        config: of the server.
        server_state: of the server.
        app_state: what the app keeps for its requests.
        _loop: of the server; the running one unless given.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._max_bytes = self._guard.max_bytes
        self._max_lines = self._guard.max_lines
        # Why the parser was stopped.
        self._flaw: Flaw | None = None
        # Of the head that is coming: what has come before this read, and what has with it at most.
        self._head = self._longest = 0
        self._is_chunked = self._in_body = False
        # The beginning of a request that is to be parsed anew.
        self._again = b""
        # Of a body in chunks: its bytes, and those that came over the wire.
        self._body = self._wire = 0

    def data_received(self, data: bytes) -> None:
        """Parse what has come, and see whether more must."""
        self._guard.idle.end(self)
        size = len(data)
        if size > self._max_bytes and not self._in_body:
            # A part at a time, because the parser knows no bounds.
            self.data_received(data[: self._max_bytes])
            after = cast("asyncio.Protocol", self.transport.get_protocol())
            after.data_received(data[self._max_bytes :])
            return
        self._longest = self._head + size
        if self._is_chunked:
            self._wire += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._switch(data, upgrade)
            return
        except httptools.HttpParserError as error:
            self._refuse(self._flaw or flaw_in_words(str(error)))
            return
        cycle = self.cycle
        if cycle is None or cycle.scope is not self.scope or cycle.response_complete or self._is_chunked:
            self._look_at_rest(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header line."""
        # The parser leaves the blanks at the end, which are no part of the value (RFC 9112 section 5.1).
        self.headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        """Refuse a head that is ambiguous, and hand a sound one on."""
        headers = self.headers
        lines = dict(headers)
        version = self.parser.get_http_version()
        if (
            version != "1.1"
            or lines.get(b"host") != self._guard.host
            or len(lines) != len(headers)
            or len(lines) > self._max_lines
            or self._longest > self._max_bytes
        ):
            self._examine(headers, version)
        if self.url[0] != SLASH:
            self._take_host()
        if b"upgrade" in lines and self.parser.should_upgrade() and not self._may_switch(version):
            return
        if b"transfer-encoding" in lines:
            self._take_chunks(headers, version)
        if b"expect" in lines:
            self.expect_100_continue = lines[b"expect"].lower() == b"100-continue"
        self._head = 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = self._writes
        self._in_body = True
        if self._waits:
            self._waits = False
            self._guard.waiting.end(self)
        self._follows(before)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._is_chunked:
            self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        if self._again:
            return
        self._in_body = self._is_chunked = False
        super().on_message_complete()
        if not self.pipeline:
            self._listen_on()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to another protocol."""
        self._guard.forget(self)
        super().handle_websocket_upgrade()

    def _examine(self, headers: Headers, version: str) -> None:
        """Look at a head that is not like the last one."""
        hosts = [value for name, value in headers if name == b"host"]
        flaw = flaw_in_version(version) or flaw_in_host(hosts, version)
        if flaw is None and len(headers) > self._max_lines:
            flaw = HEAD_LINES
        if flaw is None and self._longest > self._max_bytes and self._measured() > self._max_bytes:
            flaw = HEAD_SIZE
        if flaw is not None:
            self._stop(flaw)
        if hosts:
            self._guard.host = hosts[0]

    def _take_chunks(self, headers: Headers, version: str) -> None:
        flaw = flaw_in_framing(headers, version)
        if flaw is not None:
            self._stop(flaw)
        self._is_chunked = True
        self._body = self._wire = 0
        # What comes behind the body are no headers of the request.
        self.headers = []

    def _may_switch(self, version: str) -> bool:
        """Whether a request for another protocol is handed on; otherwise it is parsed anew without that."""
        if not self._should_upgrade():
            # The parser would take a body for the next request.
            self._again = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version.encode())
            return False
        # What is sent while a reply is on its way would be put into its middle.
        flaw = MALFORMED if self._is_serving() else flaw_in_handshake(self.headers)
        if flaw is not None:
            self._stop(flaw)
        return True

    def _stop(self, flaw: Flaw) -> NoReturn:
        self._flaw = flaw
        raise RefusedHead

    def _take_host(self) -> None:
        found = origin_form(self.parser.get_method().decode("ascii"), self.url)
        if isinstance(found, Flaw):
            self._stop(found)
        self.url, host = found
        if host is not None:
            self.headers[:] = with_host(self.headers, host)

    def _switch(self, data: bytes, upgrade: httptools.HttpParserUpgrade) -> None:
        """Hand over to a WebSocket, or parse the request anew as one that asks for no other protocol."""
        if not self._again:
            self.handle_websocket_upgrade()
            return
        start, self._again = self._again, b""
        self._is_chunked = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        lines = [b"%b: %b\r\n" % line for line in self.headers if line[0] != b"upgrade"]
        self.data_received(b"".join([start, *lines, b"\r\n", data[upgrade.args[0] :]]))

    def _look_at_rest(self, data: bytes) -> None:
        """Bound what is coming, be it a head, the chunks of a body, or one that nobody wants."""
        if self._is_chunked and self._wire > (
            OVERHEAD_IN_ALL + self._max_bytes + OVERHEAD_PER_BYTE * self._body
        ):
            self._refuse(OVERHEAD)
            return
        if self._has_begun():
            self._head = self._longest if self._head else self._measured() + _unfinished(data)
            if self._head > self._max_bytes:
                self._refuse(HEAD_SIZE)
                return
        if not self._is_serving():
            self._wait()

    def _measured(self) -> int:
        """Bytes of the head that the parser has told of."""
        return len(self.url) + sum(len(name) + len(value) + AROUND for name, value in self.headers)

    def _expects_head(self) -> bool:
        return not self._in_body

    def _has_begun(self) -> bool:
        return self.scope is not (self.cycle.scope if self.cycle else None)


def _unfinished(data: bytes) -> int:
    """Bytes at the end of a read that the parser has not told of: a line that may go on, and part of one."""
    return len(data) - 1 - data.rfind(b"\n", 0, max(0, data.rfind(b"\n")))
