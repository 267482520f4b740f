"""A user of a WebSocket."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING, ClassVar, Final

from locust import between, task

from garrison_harness.load.driving.users.socket_user import SocketUser
from garrison_harness.load.protocols.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameFault,
    FrameReader,
    Message,
    accepted,
    frame,
)
from garrison_harness.load.protocols.status_line import status_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from gevent import socket
    from locust.env import Environment

_MOST_HEAD: Final = 65_536
_READ: Final = 65_536
_REFUSED: Final = frozenset({429, 503})
_LATER: Final = frozenset({1012, 1013})
"""A server that restarts, and one that has too much to do, say so when they close (IANA's registry)."""


class _Fault(Exception):  # noqa: N818 - the fault is the server's
    """What is wrong with the server's answer."""


class WebSocketUser(SocketUser):
    """Opens a WebSocket, says something and waits for the answer, and closes it after some exchanges.

    It pings, which every server answers, or sends `message` and waits for one back. Errors are a handshake
    that is refused other than with 429 or 503, an answer that does not come or is not the right one, frames
    against the protocol, and a close that nobody asked for other than with 1012 or 1013.

    Attributes:
        message: What to send; None to ping.
        echo: Whether the answer has to be the same as the message.
        exchanges: How many there are to a connection.
        subprotocols: What it offers to speak.
        patience: How long an answer may take, in seconds.
    """

    abstract = True
    wait_time = between(0.1, 0.5)
    tags = ("websocket",)
    path = "/ws"
    message: ClassVar[str | None] = None
    echo: ClassVar[bool] = False
    exchanges: ClassVar[int] = 20
    subprotocols: ClassVar[tuple[str, ...]] = ()
    patience: ClassVar[float] = 10.0

    def __init__(self, environment: Environment) -> None:
        """Prepare without a connection.

        Args:
            environment: Locust's.
        """
        super().__init__(environment)
        self._socket: socket.socket | None = None
        self._reader = FrameReader()
        self._left = 0

    def on_stop(self) -> None:
        """Leave."""
        self._drop()

    @task
    def talk(self) -> None:
        """Open a connection, use it, or close it."""
        if self._socket is None:
            self.request("WEBSOCKET", f"{self.path} (handshake)", self._open)
        elif self._left:
            self._left -= 1
            what = "ping" if self.message is None else "message"
            self.request("WEBSOCKET", f"{self.path} ({what})", self._exchange)
        else:
            self.request("WEBSOCKET", f"{self.path} (close)", self._close)

    def request(self, method: str, url: str, step: Callable[[], int]) -> None:
        """Take a step, and tell of it.

        Args:
            method: What stands where others have one.
            url: The name of the step.
            step: Returns the status of a reply of HTTP, 0 for none.
        """
        started = time.perf_counter()
        status, fault = 0, None
        try:
            status = step()
        except (_Fault, FrameFault) as error:
            fault = str(error)
        except TimeoutError:
            fault = f"no answer within {self.patience:g} s"
        except OSError as error:
            fault = f"{type(error).__name__}: the connection is gone"
        if fault is not None:
            self._drop()
        self.tell(method, url, time.perf_counter() - started, status=status, fault=fault)

    def _open(self) -> int:
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}"]
        lines += ["Sec-WebSocket-Version: 13", f"Origin: {self.base}"]
        lines += [f"Sec-WebSocket-Protocol: {', '.join(self.subprotocols)}"] if self.subprotocols else []
        made = self.connect()
        self._socket, self._reader, self._left = made, FrameReader(), self.exchanges
        made.settimeout(self.patience)
        made.sendall(self.head("GET", self.path, *lines) + b"\r\n")
        received = b""
        while b"\r\n\r\n" not in received:
            more = made.recv(_READ)
            if not more or len(received) > _MOST_HEAD:
                raise _Fault("the handshake was cut off")
            received += more
        head, _, rest = received.partition(b"\r\n\r\n")
        status = status_in(head)
        if status in _REFUSED:
            self._drop()
            return status or 0
        if status != 101:
            raise _Fault(
                "a handshake that is no HTTP" if status is None else f"handshake refused: HTTP {status}"
            )
        _require_accepted(head, key)
        self._early = self._reader.feed(rest)
        return status

    def _exchange(self) -> int:
        payload = os.urandom(4) if self.message is None else self.message.encode()
        self._send(PING if self.message is None else TEXT, payload)
        while True:
            for message in self._receive():
                if message.kind == CLOSE:
                    self._on_close(message)
                    return 0
                if self.message is None and message.kind == PONG:
                    if message.payload != payload:
                        raise _Fault("a pong of another ping")
                    return 0
                if self.message is not None and message.kind < CLOSE:
                    if self.echo and message.payload != payload:
                        raise _Fault("an echo of something else")
                    return 0

    def _close(self) -> int:
        self._send(CLOSE, (1000).to_bytes(2, "big"))
        # What was said before may still be on its way.
        while not any(message.kind == CLOSE for message in self._receive(ending=True)):
            continue
        self._drop()
        return 0

    def _receive(self, *, ending: bool = False) -> list[Message]:
        assert self._socket is not None  # noqa: S101 - steps are taken on a connection
        messages, self._early = self._early, []
        if not messages:
            received = self._socket.recv(_READ)
            if not received:
                raise _Fault("closed without a close frame" if ending else "the connection was cut off")
            messages = self._reader.feed(received)
        for message in messages:
            if message.kind == PING:
                self._send(PONG, message.payload)
        return messages

    def _on_close(self, message: Message) -> None:
        code = int.from_bytes(message.payload[:2], "big") if len(message.payload) > 1 else 1005
        self._drop()
        if code not in _LATER:
            raise _Fault(f"the server closed with {code}")

    def _send(self, kind: int, payload: bytes) -> None:
        assert self._socket is not None  # noqa: S101 - steps are taken on a connection
        self._socket.sendall(frame(kind, payload, os.urandom(4)))

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._early = None, []


def _require_accepted(head: bytes, key: str) -> None:
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    found = {name.strip().lower(): value.strip() for name, _, value in lines}
    if found.get(b"sec-websocket-accept", b"").decode("latin-1") != accepted(key):
        raise _Fault("a handshake that does not answer its key (RFC 6455 section 4.1)")
