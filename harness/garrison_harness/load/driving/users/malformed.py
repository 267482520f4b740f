"""A user that breaks the grammar of HTTP."""

from __future__ import annotations

import itertools
import random
import time
from contextlib import suppress
from typing import ClassVar, Final

from locust import between, task

from garrison_harness.load.driving.users.socket_user import SocketUser
from garrison_harness.load.protocols.faults import FAULTS
from garrison_harness.load.protocols.status_line import status_in

_MOST: Final = 4096  # bytes of a reply; its first line is all that is judged
_IN_ORDER: Final = frozenset({501, 505})
"""Not implemented, and version not supported (RFC 9112 sections 6.1 and 2.3): refusals like others."""


class MalformedUser(SocketUser):
    """Sends one request after the other that is none, each on a connection of its own.

    A refusal is the right answer, and so is the end of the connection; a server may also understand what it
    should not. Errors are a reply from 500 on, but for 501 and 505, something that is no HTTP, and silence.

    Attributes:
        patience: After how many seconds a server that says nothing hangs.
    """

    abstract = True
    wait_time = between(0.05, 0.2)
    tags = ("malformed",)
    patience: ClassVar[float] = 10.0

    def on_start(self) -> None:
        """Begin anywhere."""
        self._turns = itertools.cycle(FAULTS)
        for _ in range(random.randrange(len(FAULTS))):  # noqa: S311 - no secret
            next(self._turns)

    @task
    def send_next(self) -> None:
        """Send the request whose turn it is."""
        fault = next(self._turns)
        data = fault.write(self.path.encode(), self.authority.encode())
        self.request("MALFORMED", self.path, name=fault.name, data=data)

    def request(self, method: str, url: str, *, name: str, data: bytes) -> None:
        """Send bytes, and judge what comes back.

        Args:
            method: What stands where others have one.
            url: What is asked for.
            name: What the request is counted under.
            data: What to send.
        """
        del url
        started = time.perf_counter()
        try:
            answer = self._answer(data)
        except TimeoutError:
            problem: str | Exception = f"no answer and no end within {self.patience:g} s"
            self.tell(method, name, time.perf_counter() - started, fault=problem)
        except OSError as error:
            self.tell(method, name, time.perf_counter() - started, fault=error)
        else:
            seconds = time.perf_counter() - started
            status = status_in(answer) if answer else 0
            self.tell(method, name, seconds, status=status or 0, fault=_fault(status))

    def _answer(self, data: bytes) -> bytes:
        """The first line that comes back; empty where the connection is closed, in whichever way."""
        received = b""
        with self.connect() as made:
            made.settimeout(self.patience)
            # It may be refused before all of it was sent, and the reply be there all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                made.sendall(data)
            with suppress(ConnectionResetError):
                while b"\n" not in received and len(received) < _MOST:
                    more = made.recv(_MOST)
                    if not more:
                        break
                    received += more
        return received


def _fault(status: int | None) -> str | None:
    if status is None:
        return "an answer that is no HTTP"
    return f"HTTP {status}" if status >= 500 and status not in _IN_ORDER else None
