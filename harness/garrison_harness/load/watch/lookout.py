"""Asks for a trivial reply ten times a second: `python -m garrison_harness.load.watch.lookout FILE`.

It is a process of its own because what it measures is short: in the process that shows the live view, it
would wait for that.
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, TypedDict

INTERVAL: Final = 0.1
"""How often it is asked, in seconds."""

_TIMEOUT: Final = 5.0  # seconds; what takes longer counts as that
_FLUSH: Final = 1.0  # seconds


class Order(TypedDict):
    """What to ask for; `source` is the address to speak from, empty for the system's choice."""

    host: str
    port: int
    https: bool
    method: str
    path: str
    source: str
    headers: dict[str, str]


def _connection(order: Order) -> http.client.HTTPConnection:
    source = (order["source"], 0) if order["source"] else None
    if not order["https"]:
        return http.client.HTTPConnection(
            order["host"], order["port"], timeout=_TIMEOUT, source_address=source
        )
    context = ssl.create_default_context()
    # The target is on this machine, and mostly signs its own certificate.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(
        order["host"], order["port"], timeout=_TIMEOUT, source_address=source, context=context
    )


class Lookout:
    """Asks on one connection, which is made anew where it was closed."""

    def __init__(self, order: Order) -> None:
        """Ask for what the order says."""
        self._order = order
        self._connection = _connection(order)

    def ask(self) -> int:
        """The status of the reply, 0 where there was none."""
        order = self._order
        try:
            if self._connection.sock is None:
                self._connection.connect()  # with TCP_NODELAY
            self._connection.request(order["method"], order["path"], headers=order["headers"])
            reply = self._connection.getresponse()
            reply.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0
        return reply.status


def run(order: Order) -> None:
    """Ask until the process is ended, and print a line for each: when it was due, seconds, and status.

    What is due while a reply is waited for is asked right after it, and has waited since it was due: a target
    that stands still for a second is late ten times, and not once.
    """
    lookout = Lookout(order)
    lookout.ask()  # makes the connection, which is no part of what is measured
    due = time.monotonic()
    flushed = due
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        status = lookout.ask()
        now = time.monotonic()
        sys.stdout.write(f"{due:.6f} {now - due:.6f} {status}\n")
        if now - flushed >= _FLUSH:
            sys.stdout.flush()
            flushed = now
        due += INTERVAL


def main(words: list[str]) -> None:
    """Run the order that a file holds as JSON.

    Args:
        words: Of the command line: the path of the file.
    """
    order: Order = json.loads(Path(words[0]).read_text(encoding="utf-8"))
    with suppress(KeyboardInterrupt, BrokenPipeError):
        run(order)


if __name__ == "__main__":
    main(sys.argv[1:])
