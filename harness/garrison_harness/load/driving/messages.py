"""What a master and its workers say to each other beside Locust's own messages.

A worker says `hello` and is welcomed or refused. It gets the plan, compares clocks, loads the users and
says that it is ready, or what keeps it from that. Once the load is to begin, all are told the moment. What
they see goes with Locust's reports to the master, which says of the last one that it has taken it.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final, TypedDict

from locust import __version__ as locust_version
from locust.rpc import Message

PREFIX: Final = "garrison_"
"""Begins the types of these messages, so that none is taken for one of Locust's or of a locustfile's."""

HELLO: Final = "garrison_hello"
WELCOME: Final = "garrison_welcome"
REFUSED: Final = "garrison_refused"
PLAN: Final = "garrison_plan"
CLOCK: Final = "garrison_clock"
READY: Final = "garrison_ready"
FAULT: Final = "garrison_fault"
PEOPLED: Final = "garrison_peopled"
BEGIN: Final = "garrison_begin"
CLOSE: Final = "garrison_close"
STOP: Final = "garrison_stop"
TAKEN: Final = "garrison_taken"

REPORT: Final = "garrison"
"""Under this name Locust's report to the master has the number of its first delta, and deltas as lines."""

SPEECH: Final = f"garrison {version('garrison')} and Locust {locust_version}"
"""What this process speaks: both ends must be the same."""


class Hello(TypedDict):
    """How a worker introduces itself.

    `number` is which one it is of the processes that the master has started, and `token` what only those
    know; -1 and empty for one from elsewhere.
    """

    speech: str
    host: str
    number: int
    token: str
    locustfile: bool


def message(kind: str, data: object, node: str) -> Message:
    """A message of Locust's.

    Args:
        kind: Its type.
        data: What it says, in the types of JSON.
        node: The worker that it is from, or for.
    """
    make: Any = Message  # it has no types
    made: Message = make(kind, data, node)
    return made
