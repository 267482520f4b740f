"""The only I/O of the audit: one request over one raw socket, and the reply as it came."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from garrison_harness import interruption
from garrison_harness.endless import Endless, seconds_to_read
from garrison_harness.exchange import Reply
from garrison_harness.reply_reader import ReplyReader

if TYPE_CHECKING:
    from garrison_harness.exchange import Failure, Request

_PIECE_BYTES = 64 * 1024
_SLICE = 0.1  # seconds: how long anything may block before it looks whether the audit was stopped
_RECEIVE_BYTES = 64 * 1024
_CONTENT_BYTES = 4 * 1024 * 1024
_CONNECT_TIMEOUT = 5.0  # seconds
_STRANGER = "127.66.66.66"


@dataclass(slots=True)
class Budget:
    """What an audit may still spend.

    Attributes:
        deadline: When the audit ends, in seconds on the monotonic clock.
        requests: How many requests may still be sent.
    """

    deadline: float
    requests: int
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Spend one request; False where nothing is left."""
        with self._lock:
            if self.spent():
                return False
            self.requests -= 1
            return True

    def spent(self) -> bool:
        """Whether nothing may be sent any more."""
        return self.requests <= 0 or self.stopped()

    def stopped(self) -> bool:
        """Whether what is under way must end at once."""
        return self._stopped.is_set() or interruption.noticed() or time.monotonic() >= self.deadline

    def stop(self) -> None:
        """Let nothing more be sent, and end what is under way."""
        self._stopped.set()


class Probe:
    """Asks one server, one connection a request."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        https: bool,
        budget: Budget,
        name: str = "",
        request_timeout: float = 5.0,
        endless: Endless | None = None,
    ) -> None:
        """Take the server's address.

        Args:
            host: The address or name to connect to.
            port: The TCP port.
            https: Whether to speak TLS.
            budget: What may be spent.
            name: The name that TLS asks for (RFC 6066 section 3), empty for `host`.
            request_timeout: How long one exchange may take, in seconds.
            endless: What is known of replies without an end, by others who ask the same server too.
        """
        self._address = (host, port)
        self._name = name or host
        self._tls = _lenient_tls() if https else None
        self._budget = budget
        self._timeout = request_timeout
        self._endless = endless or Endless()

    def ask(self, request: Request, *, source: str | None = None) -> Reply:
        """Send a request and record what comes back; nothing that the server does is an exception.

        Args:
            request: What to send, and how.
            source: The loopback address to speak from, None for the system's choice.
        """
        if not self._budget.take():
            return Reply(failure="abandoned")
        request = self._endless.hurried(request)
        start = time.monotonic()
        try:
            connection = socket.create_connection(
                self._address, timeout=self._timeout, source_address=(source, 0) if source else None
            )
        except OSError:
            return Reply(failure="refused", elapsed=time.monotonic() - start)
        with connection:
            try:
                stream = (
                    self._tls.wrap_socket(connection, server_hostname=self._name)
                    if self._tls and not request.bare
                    else connection
                )
            except OSError:
                return Reply(failure="refused", elapsed=time.monotonic() - start)
            with stream:
                stream.settimeout(_SLICE)
                allowed = self._timeout if request.leaves is None else request.leaves
                talk = _Talk(stream, request, self._budget, start=start, deadline=start + allowed)
                talk.send()
                return self._endless.noted(request, talk.receive())


class _Talk:
    """One exchange while it lasts."""

    def __init__(
        self, stream: socket.socket, request: Request, budget: Budget, *, start: float, deadline: float
    ) -> None:
        self._stream = stream
        self._request = request
        self._budget = budget
        self._start = start
        self._deadline = deadline
        self._sent = 0
        self._early = b""
        self._reader = ReplyReader(request.method, content_bytes=_CONTENT_BYTES, kept=request.kept)

    def send(self) -> None:
        """Send the pieces until they are out, or until the server answers or hangs up."""
        for piece in self._request.pieces:
            if isinstance(piece, bytes):
                going_on = self._send_bytes(memoryview(piece))
            else:
                going_on = not self._answer_within(piece)
            if not going_on:
                return

    def _send_bytes(self, view: memoryview) -> bool:
        while view:
            # A server that refuses early stops reading, so watch for its answer before every write.
            if self._out_of_time(self._deadline) or self._answer_within(0):
                return False
            _, writable, _ = select.select([], [self._stream], [], _SLICE)
            if writable:
                try:
                    count = self._stream.send(view[:_PIECE_BYTES])
                except TimeoutError:
                    continue
                except OSError:
                    # Broken pipe: what the server said before it hung up is still to be read.
                    return False
                self._sent += count
                view = view[count:]
        return True

    def _answer_within(self, seconds: float) -> bool:
        """Whether the server says something, or hangs up, within that time."""
        until = min(time.monotonic() + seconds, self._deadline)
        while True:
            wait = max(0.0, min(_SLICE, until - time.monotonic()))
            readable, _, _ = select.select([self._stream], [], [], wait)
            if readable:
                try:
                    self._early = self._stream.recv(_RECEIVE_BYTES)
                except TimeoutError:
                    # TLS makes a socket readable without any content in it.
                    continue
                except OSError:
                    # A reset: reading the reply will meet it again, and record it.
                    return True
                return True
            if self._out_of_time(until):
                return False

    def _out_of_time(self, until: float) -> bool:
        return self._budget.stopped() or time.monotonic() >= until

    def receive(self) -> Reply:
        """Read the reply, and what comes after it."""
        failure: Failure | None = None
        until = self._deadline
        done_at: float | None = None
        head_at: float | None = None
        reader = self._reader
        closed = reader.feed(self._early) if self._early else False
        while not reader.failed and not closed:
            if reader.status is not None and head_at is None:
                head_at = time.monotonic()
                reading = seconds_to_read(self._request, reader.headers)
                until = until if reading is None else min(self._deadline, head_at + reading)
            if reader.complete and done_at is None:
                done_at = time.monotonic()
                until = min(self._deadline, done_at + self._request.linger)
            if self._out_of_time(until):
                gone: Failure = "timeout" if self._request.leaves is None else "left"
                unfinished: Failure = "abandoned" if self._budget.stopped() else gone
                failure = None if reader.complete else unfinished
                break
            try:
                data = self._stream.recv(_RECEIVE_BYTES)
            except TimeoutError:
                continue
            except OSError:
                failure = None if reader.complete else "truncated" if reader.status else "reset"
                closed = True
                break
            closed = reader.feed(data)
        elapsed = (done_at or time.monotonic()) - self._start
        return reader.reply(sent=self._sent, elapsed=elapsed, failure=failure)


def _lenient_tls() -> ssl.SSLContext:
    """A context that takes any certificate: the target is on this machine, and mostly signs its own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def has_addresses(host: str, port: int) -> bool:
    """Whether requests can come from loopback addresses of their own, as Linux allows for IPv4."""
    # A name may stand for ::1 as well, and the server may listen there only: so it is tried.
    try:
        socket.create_connection(
            (host, port), timeout=_CONNECT_TIMEOUT, source_address=(_STRANGER, 0)
        ).close()
    except OSError:
        return False
    return True
