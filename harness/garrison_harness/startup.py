"""Tells when a process that was just started answers HTTP, and why it did not."""

from __future__ import annotations

import re
import select
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from garrison_harness import interruption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.process import Child

# Some servers listen on `localhost`, which may be the IPv6 address only.
_LOOPBACK_HOSTS = ("127.0.0.1", "::1")
_POLL_INTERVAL = 0.05  # seconds
_STATUS_BYTES = len("HTTP/1.1 200")
_ANSWER_TIMEOUT = 5.0  # seconds; a first page may compile templates
# What Python prints last: `ModuleNotFoundError: No module named 'shop'`.
_EXCEPTION_LINE = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)(: .*)?$")
_ERROR_LEVEL = re.compile(r"^\s*\[?(CRITICAL|ERROR|FATAL)\]?:?\s+", re.IGNORECASE)
# What the toolkit's own commands write before each line for a person.
_GARRISON = re.compile(r"^garrison: ")
# uvicorn calls what it takes for a factory, and warns; no other server guesses.
_GUESSED_FACTORY = re.compile(r"ASGI app factory detected")
# What uvicorn and `garrison run` say, and what hypercorn does.
_STARTUP_FAILED = re.compile(r"application startup failed|lifespan failure in startup", re.IGNORECASE)
# A frame of a traceback, and what a SyntaxError says of its file.
_FRAME = re.compile(r'\s+File "(?P<file>[^"<>]+)", line (?P<line>\d+)')
_RECORD = re.compile(r"\s*(\[|\{|(DEBUG|INFO|WARNING|ERROR|CRITICAL|FATAL|garrison)\b:?\s|Traceback )")
# What `garrison run` says of an app whose own code failed; the place is in it.
_TOOLKIT_SAYS = re.compile(r"(importing|calling|reading) \S+ failed: ")
_MOST_WORDS = 400
_PORT_TAKEN = re.compile(r"address (is )?already in use|EADDRINUSE", re.IGNORECASE)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Ready(NamedTuple):
    """Who answers HTTP.

    Attributes:
        host: The loopback address.
        status: What it answered for `/`; 0 where that could not be read.
    """

    host: str
    status: int


def wait_until_ready(child: Child, port: int, wait: float) -> Ready | None:
    """The loopback address that answers HTTP while the child lives; None if none does in `wait` seconds.

    Raises:
        KeyboardInterrupt: This process was told to end.
    """
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline and child.exit_status() is None:
        for host in _LOOPBACK_HOSTS:
            patience = min(_ANSWER_TIMEOUT, max(0.1, deadline - time.monotonic()))
            status = _answered(host, port, patience)
            if status is not None:
                # Whoever answers while the child is gone is somebody else on its port.
                return Ready(host, status) if child.exit_status() is None else None
        interruption.pause(_POLL_INTERVAL)
    return None


def _answered(host: str, port: int, timeout: float) -> int | None:
    """The status of an HTTP reply, 0 if it is not told at once; None where there is no such reply."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"GET / HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(request.encode("ascii"))
            deadline = time.monotonic() + timeout
            while not select.select([connection], [], [], _POLL_INTERVAL)[0]:
                interruption.check()
                if time.monotonic() >= deadline:
                    return None
            version, _, rest = connection.recv(_STATUS_BYTES).partition(b" ")
            if not version.startswith(b"HTTP/"):
                return None
            return int(rest) if re.fullmatch(rb"[1-5]\d\d", rest) else 0
    except OSError:
        return None


def port_was_taken(log: Sequence[str]) -> bool:
    """Whether a log says that the address was in use."""
    return any(_PORT_TAKEN.search(line) for line in log)


def startup_failed(log: Sequence[str]) -> bool:
    """Whether a log says that the app was imported, and failed in its own startup: its lifespan."""
    return any(_STARTUP_FAILED.search(line) for line in log)


def likely_cause(log: Sequence[str]) -> str:
    """The line that says why a process ended: the last exception, else the last error, else the last line."""
    for line in reversed(log):
        if _EXCEPTION_LINE.match(line):
            return line.strip()
    for line in reversed(log):
        if _ERROR_LEVEL.match(line) or _PORT_TAKEN.search(line):
            return _ERROR_LEVEL.sub("", line).strip()
    return _GARRISON.sub("", log[-1]).strip() if log else ""


def own_failure(log: Sequence[str]) -> str:
    """What the app's own code raised while it was imported, in all its words, and where; empty if nothing.

    A module that is not found may only be looked for in the wrong directory, and is not meant.

    Args:
        log: What the process wrote.
    """
    cause = likely_cause(log)
    if "ModuleNotFoundError" in cause:
        return ""
    if _TOOLKIT_SAYS.match(cause):
        return cause
    place = own_place(log)
    at = max((number for number, line in enumerate(log) if _EXCEPTION_LINE.match(line)), default=None)
    if not place or at is None:
        return ""
    words = log[at].split()
    for line in log[at + 1 :]:
        if _RECORD.match(line):
            break
        words += line.split()
    return f"{' '.join(words)[:_MOST_WORDS]} ({place})"


def own_place(log: Sequence[str]) -> str:
    """The last line of the app's own code in the last traceback; empty if there is none.

    Args:
        log: What the process wrote, which was started in the directory of this one.
    """
    begins = max((number for number, line in enumerate(log) if line.startswith("Traceback ")), default=0)
    here, place = Path.cwd(), ""
    for frame in filter(None, map(_FRAME.match, log[begins:])):
        file = Path(frame["file"])
        if file.is_relative_to(here) and "site-packages" not in file.parts:
            place = f"{file.relative_to(here)}:{frame['line']}"
    return place


def refused_settings(log: Sequence[str]) -> str:
    """All that `garrison run` says is wrong with its settings, on one line; empty if it says nothing."""
    return "; ".join(_GARRISON.sub("", line).strip(" .") for line in log if _GARRISON.match(line))


def guessed_factory(log: Sequence[str]) -> bool:
    """Whether the server took the attribute for a factory, although nobody said so."""
    return any(_GUESSED_FACTORY.search(line) for line in log)


def with_fix(cause: str, fix: str) -> str:
    """What went wrong, then what to do, however the first part ends."""
    if cause.endswith(("?", "!")):
        return f"{cause} {fix[:1].upper()}{fix[1:]}"
    return f"{cause.rstrip('. ')}; {fix}"
