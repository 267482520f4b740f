"""A user that takes its time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from locust import constant, task

from garrison_harness.load.driving.users.socket_user import SocketUser
from garrison_harness.load.driving.users.waiting import pause, waiting
from garrison_harness.load.protocols.status_line import status_in

if TYPE_CHECKING:
    from gevent import socket

_BODY: Final = 1_000_000  # bytes that are announced
_PIECE: Final = 512  # bytes that a slow reader takes at once
_BUFFER: Final = 4096  # bytes that the system may hold for it
_MOST: Final = 65_536
_REFUSED: Final = 503
"""Beside 408 and its like a refusal: a server with enough to do ends those first that take the longest."""


class SlowUser(SocketUser):
    """Sends a head or a body, or reads a reply, a little at a time: a phone in a tunnel, or an attack.

    A reply, a refusal and the end of the connection are all in order. Errors are a connection that is still
    open after `patience`, a reply from 500 on other than 503, and one that is no HTTP. What the end of the
    run cuts off is not counted. The latency is the target's share: from the last byte sent to the answer.

    Attributes:
        pace: Seconds between two bytes that it sends, or two pieces of 512 bytes that it reads.
        patience: How long a connection may be held, in seconds.
    """

    abstract = True
    wait_time = constant(1)
    tags = ("slow",)
    pace: ClassVar[float] = 1.0
    patience: ClassVar[float] = 30.0

    @task
    def send_head(self) -> None:
        """Send a head that never ends."""
        self._drip("head", self.head("GET", self.path) + b"X-Garrison: a")

    @task
    def send_body(self) -> None:
        """Send a body that never ends."""
        lines = ("Content-Type: application/json", f"Content-Length: {_BODY}")
        self._drip("body", self.head("POST", self.path, *lines) + b'\r\n"')

    @task
    def read_slowly(self) -> None:
        """Read a reply piece by piece, and leave when it takes too long."""
        began = time.perf_counter()
        try:
            with self.connect(receive_buffer=_BUFFER) as made:
                made.sendall(self.head("GET", self.path, "Connection: close") + b"\r\n")
                answer = self._listen(made, self.patience, _PIECE)
                self._tell("reader", began, answer, held="no reply")
                while answer and time.perf_counter() - began < self.patience:
                    pause(self, self.pace)
                    answer = made.recv(_PIECE)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            return  # the server has had enough
        except OSError as error:
            self.tell("SLOW", "reader", time.perf_counter() - began, fault=error)

    def _drip(self, name: str, first: bytes) -> None:
        began = sent = time.perf_counter()
        try:
            with self.connect() as made:
                made.sendall(first)
                sent = time.perf_counter()
                answer = self._listen(made, self.pace, _MOST)
                while answer is None and time.perf_counter() - began < self.patience:
                    made.sendall(b"a")
                    sent = time.perf_counter()
                    answer = self._listen(made, self.pace, _MOST)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""
        except OSError as error:
            self.tell("SLOW", name, time.perf_counter() - sent, fault=error)
            return
        self._tell(name, sent, answer, held="still open")

    def _listen(self, made: socket.socket, seconds: float, most: int) -> bytes | None:
        """What comes back; empty for the end of the connection, None for nothing in that time."""
        made.settimeout(seconds)
        with waiting(self):
            try:
                received: bytes = made.recv(most)
            except TimeoutError:
                return None
        return received

    def _tell(self, name: str, since: float, answer: bytes | None, *, held: str) -> None:
        seconds = time.perf_counter() - since
        if answer is None:
            self.tell("SLOW", name, seconds, fault=f"{held} after {self.patience:g} s")
            return
        status = status_in(answer) if answer else 0
        fault = "an answer that is no HTTP" if status is None else None
        if status and status >= 500 and status != _REFUSED:
            fault = f"HTTP {status}"
        self.tell("SLOW", name, seconds, status=status or 0, fault=fault)
