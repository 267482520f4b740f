"""Starts a target and ends it again, or reaches one that is up."""

from __future__ import annotations

import socket
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from garrison_harness.endless import Endless
from garrison_harness.env_file import STARTED_WITH
from garrison_harness.importing import misnamed
from garrison_harness.probe import Probe
from garrison_harness.process import Child
from garrison_harness.startup import (
    free_port,
    guessed_factory,
    likely_cause,
    own_failure,
    port_was_taken,
    refused_settings,
    startup_failed,
    wait_until_ready,
    with_fix,
)
from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.probe import Budget
    from garrison_harness.stage import Asker
    from garrison_harness.target import Target

_PORT_ATTEMPTS = 3
_CONNECT_TIMEOUT = 5.0  # seconds
_USAGE = 2  # the exit status of `garrison run` for its settings
_LOG_BYTES = 8 * 1024 * 1024  # of one stream, for the checks that read it
_MANY_LINES = 400  # more than any server writes before it listens


class Running:
    """A target that answers HTTP.

    Attributes:
        host: The loopback address or name to connect to, without brackets.
        port: The TCP port.
        https: Whether the port speaks TLS.
        stdout_path: Where the target's standard output goes, None for a URL.
        stderr_path: Where its standard error goes, None for a URL.
        endless: What is known of its replies without an end.
    """

    def __init__(self, *, host: str, port: int, https: bool = False, child: Child | None = None) -> None:
        """Describe a target that is up; `child` is the process behind it, if it was started here."""
        self.host = host
        self.port = port
        self.https = https
        self.stdout_path = child.stdout_path if child else None
        self.stderr_path = child.stderr_path if child else None
        self._child = child
        self.endless = Endless()

    @property
    def base_url(self) -> str:
        """Scheme and authority, with no slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.https else 'http'}://{host}:{self.port}"

    def asker(self, name: str, budget: Budget) -> Asker:
        """Whoever puts requests to this target.

        Args:
            name: The name that TLS asks for.
            budget: What may be spent.
        """
        return Probe(
            host=self.host, port=self.port, https=self.https, name=name, budget=budget, endless=self.endless
        )

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

    def terminate(self) -> None:
        """Ask the process to stop, as a process manager does (SIGTERM); its workers it tells itself."""
        if self._child is not None:
            self._child.terminate()

    def memory(self) -> int | None:
        """Resident bytes of all processes of the target; None where they are not known."""
        return self._child.memory() if self._child else None

    def cpu(self) -> float | None:
        """CPU time that the processes of the target have used so far, in seconds; None where not known."""
        return self._child.cpu() if self._child else None

    def log_size(self) -> tuple[int, int]:
        """How many bytes standard output and standard error hold so far."""
        return _size(self.stdout_path), _size(self.stderr_path)

    def log_since(self, start: tuple[int, int]) -> str:
        """What was written to standard output, then to standard error, after `start`."""
        return _text(self.stdout_path, start[0]) + _text(self.stderr_path, start[1])

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that the process wrote, none for a URL."""
        return self._child.log_tail(lines) if self._child else []


def _size(path: Path | None) -> int:
    return path.stat().st_size if path is not None and path.exists() else 0


def _text(path: Path | None, start: int) -> str:
    if path is None or not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(start)
        return log.read(_LOG_BYTES).decode(errors="replace")


@contextmanager
def running(
    target: Target, *, log_directory: Path | None = None, port: int | None = None
) -> Iterator[Running]:
    """Start the target if it is to be started, wait until it answers, and end it afterwards.

    Whatever happens inside, the process and all that it started are gone afterwards.

    Args:
        target: What to drive.
        log_directory: Where the logs of the process go and stay; a temporary directory otherwise.
        port: Where it is to listen; a free port unless given.

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
        yield _boot(target, log_directory, stack, port)


def _reach(target: Target) -> Running:
    parts = urlsplit(target.words[0])
    https = parts.scheme == "https"
    reached = Running(host=parts.hostname or "", port=parts.port or (443 if https else 80), https=https)
    if not reached.alive():
        raise TargetFailed(f"nothing answers at {reached.base_url}: start the app first, or check the port")
    return reached


def _boot(target: Target, logs: Path, stack: ExitStack, wanted: int | None) -> Running:
    for attempt in range(1, _PORT_ATTEMPTS + 1):
        port = wanted or free_port()
        try:
            logs.mkdir(parents=True, exist_ok=True)
            child = Child(target.command(port), logs=logs, environment=_environment(target))
        except OSError as error:
            raise UsageFault(
                f"cannot write logs to {logs}: {error.strerror}; give another --log-directory"
            ) from error
        stack.callback(child.end)
        ready = wait_until_ready(child, port, target.start_timeout)
        if ready is not None:
            # The other servers refuse what uvicorn guesses at: the same is asked for under all of them.
            if target.kind == "import" and guessed_factory(child.log_tail(_MANY_LINES)):
                raise TargetFailed(f"{target} is a function that makes the app, and no app: add --factory")
            if ready.status >= 500 and not target.harden:
                _require_app(target)
            return Running(host=ready.host, port=port, child=child)
        log = child.log_tail(40)
        # Another process may have taken the port between finding it free and listening on it.
        if attempt < _PORT_ATTEMPTS and port_was_taken(log):
            continue
        if target.harden and child.exit_status() == _USAGE:
            raise UsageFault(f"garrison run refuses its settings: {refused_settings(log)}")
        own = "" if startup_failed(log) else own_failure(child.log_tail(_MANY_LINES))
        status = child.exit_status()
        # What a proof starts fails in code that is not the app's.
        told = (own and not target.harden) or startup_failed(log) or port_was_taken(log)
        if status is not None and status >= 0 and not told:
            _require_app(target)
        raise _start_failure(target, status, log, port=port, own=own)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _require_app(target: Target) -> None:
    """See that what the target names is an app.

    Raises:
        TargetFailed: It is none, or none that its server can serve.
    """
    found = misnamed(target, _environment(target))
    if found is not None:
        raise found


def _environment(target: Target) -> dict[str, str]:
    return {**STARTED_WITH, **dict(target.environment)}


def _start_failure(
    target: Target, status: int | None, log: Sequence[str], *, port: int, own: str
) -> TargetFailed:
    if status is None:
        return TargetFailed(
            f"{target} did not answer HTTP on 127.0.0.1:{port} within {target.start_timeout:g} s:"
            " does it listen on the port it is given? --start-timeout waits longer",
            log,
        )
    cause = own or likely_cause(log) or "it wrote nothing"
    if port_was_taken(log):
        fix = "free the port it asks for, or let it listen on the port that {port} names"
    elif "--factory" in cause:
        fix = ""  # the cause says it
    elif startup_failed(log):
        fix = "mend what the app does when it starts, or give it what it needs for that"
    elif own and target.kind == "import":
        fix = ""
    elif target.kind == "import":
        fix = "start this in the directory where the import works, and check module, attribute and --factory"
    else:
        fix = "run the command by hand with a port in place of {port}"
    how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
    cause = with_fix(cause, fix) if fix else cause
    return TargetFailed(f"{target} {how} before it answered: {cause}", log)
