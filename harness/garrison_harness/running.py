"""Starts a target and ends it again, or reaches one that is up."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from garrison_harness.process import Child
from garrison_harness.startup import (
    free_port,
    guessed_factory,
    likely_cause,
    port_was_taken,
    refused_settings,
    wait_until_ready,
    with_fix,
)
from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.target import Target

_PORT_ATTEMPTS = 3
_CONNECT_TIMEOUT = 5.0  # seconds
_USAGE = 2  # the exit status of `garrison run` for its settings
_MANY_LINES = 400  # more than any server writes before it listens


class Running:
    """A target that answers HTTP.

    Attributes:
        host: The loopback address or name to connect to, without brackets.
        port: The TCP port.
        https: Whether the port speaks TLS.
        stdout_path: Where the target's standard output goes, None for a URL.
        stderr_path: Where its standard error goes, None for a URL.
    """

    def __init__(self, *, host: str, port: int, https: bool = False, child: Child | None = None) -> None:
        """Describe a target that is up; `child` is the process behind it, if it was started here."""
        self.host = host
        self.port = port
        self.https = https
        self.stdout_path = child.stdout_path if child else None
        self.stderr_path = child.stderr_path if child else None
        self._child = child

    @property
    def base_url(self) -> str:
        """Scheme and authority, with no slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.https else 'http'}://{host}:{self.port}"

    def alive(self) -> bool:
        """Whether the process still runs; for a URL, whether the port still takes connections."""
        if self._child is not None:
            return self._child.exit_status() is None
        try:
            socket.create_connection((self.host, self.port), timeout=_CONNECT_TIMEOUT).close()
        except OSError:
            return False
        return True

    def exit_status(self) -> int | None:
        """The exit status of the process, negative for a signal; None while it runs and for a URL."""
        return self._child.exit_status() if self._child else None

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that the process wrote, none for a URL."""
        return self._child.log_tail(lines) if self._child else []


@contextmanager
def running(target: Target, *, log_directory: Path | None = None, wait: float = 20.0) -> Iterator[Running]:
    """Start the target if it is to be started, wait until it answers, and end it afterwards.

    Whatever happens inside, the process and all that it started are gone afterwards.

    Args:
        target: What to drive.
        log_directory: Where the logs of the process go and stay; a temporary directory otherwise.
        wait: How long the target may take to answer, in seconds.

    Raises:
        TargetFailed: It crashed, never answered, or could not be started.
        UsageFault: The log directory cannot be written, or the settings of a hardened start are wrong.
    """
    if target.kind == "url":
        yield _reach(target)
        return
    with ExitStack() as stack:
        if log_directory is None:
            log_directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-")))
        yield _boot(target, log_directory, wait, stack)


def _reach(target: Target) -> Running:
    parts = urlsplit(target.words[0])
    https = parts.scheme == "https"
    reached = Running(host=parts.hostname or "", port=parts.port or (443 if https else 80), https=https)
    if not reached.alive():
        raise TargetFailed(f"nothing answers at {reached.base_url}: start the app first, or check the port")
    return reached


def _boot(target: Target, logs: Path, wait: float, stack: ExitStack) -> Running:
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        port = free_port()
        try:
            logs.mkdir(parents=True, exist_ok=True)
            child = Child(target.command(port), logs=logs, environment={"PYTHONUNBUFFERED": "1"})
        except OSError as error:
            raise UsageFault(
                f"cannot write logs to {logs}: {error.strerror}; give another --log-directory"
            ) from error
        stack.callback(child.end)
        host = wait_until_ready(child, port, wait)
        if host is not None:
            # `garrison run` refuses what uvicorn guesses at: with and without --harden the same is asked for.
            if target.kind == "import" and guessed_factory(child.log_tail(_MANY_LINES)):
                raise TargetFailed(f"{target} is a function that makes the app, and no app: add --factory")
            return Running(host=host, port=port, child=child)
        log = child.log_tail(40)
        # Another process may have taken the port between finding it free and listening on it.
        if attempt < _PORT_ATTEMPTS and port_was_taken(log):
            continue
        if target.harden and child.exit_status() == _USAGE:
            raise UsageFault(f"garrison run refuses its settings: {refused_settings(log)}")
        raise _start_failure(target, child.exit_status(), log, port=port, wait=wait)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _start_failure(
    target: Target, status: int | None, log: Sequence[str], *, port: int, wait: float
) -> TargetFailed:
    if status is None:
        return TargetFailed(
            f"{target} did not answer HTTP on 127.0.0.1:{port} within {wait:g} s:"
            " does it listen on the port it is given, and how long does it take to start?",
            log,
        )
    cause = likely_cause(log) or "it wrote nothing"
    if port_was_taken(log):
        fix = "free the port it asks for, or let it listen on the port that {port} names"
    elif "--factory" in cause:
        fix = ""  # the cause says it
    elif target.kind == "import":
        fix = "start this in the directory where the import works, and check module, attribute and --factory"
    else:
        fix = "run the command by hand with a port in place of {port}"
    how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
    cause = with_fix(cause, fix) if fix else cause
    return TargetFailed(f"{target} {how} before it answered: {cause}", log)
