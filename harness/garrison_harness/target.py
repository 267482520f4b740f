"""Plugs in any app: an import string, a command, or a URL."""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from garrison_harness.process import Child
from garrison_harness.startup import free_port, likely_cause, port_was_taken, wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_IMPORT_STRING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_PATH = re.compile(r"/[!-~]*")
_PORT_ATTEMPTS = 3
_CONNECT_TIMEOUT = 5.0  # seconds


class TargetFailed(Exception):  # noqa: N818 - the name says what happened
    """The target did not start, or does not answer: exit status 3."""

    def __init__(self, line: str, log: Sequence[str] = ()) -> None:
        """Keep the one line for the person, with the fix, and the last lines of the target's log."""
        super().__init__(line)
        self.log = tuple(log)


class UsageFault(Exception):  # noqa: N818 - the fault is the caller's, and this is no failure of the tool
    """What was asked for cannot be done as it was asked: exit status 2; the text is one line with the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to drive, checked, with nothing started yet.

    Attributes:
        kind: How the app is reached: an import string and a command are started here, a URL is not.
        words: The import string, the command or the URL as it was given.
        factory: The attribute of an import string is called to get the app.
        harden: An import string is started under `garrison run`.
        path: The path of a URL, `/` otherwise.
    """

    kind: Literal["import", "command", "url"]
    words: tuple[str, ...]
    factory: bool = False
    harden: bool = False
    path: str = "/"

    def __str__(self) -> str:
        """The target as the person wrote it."""
        return " ".join(self.words)

    def command(self, port: int) -> list[str]:
        """The command that serves this target on a port of 127.0.0.1; a URL has none."""
        if self.kind == "command":
            return [word.replace("{port}", str(port)) for word in self.words]
        # The toolkit is started by name, as any other server: judge and suspect share no code.
        server = ["garrison", "run"] if self.harden else ["uvicorn", "--no-use-colors"]
        factory = ["--factory"] if self.factory else []
        address = ["--host", "127.0.0.1", "--port", str(port)]
        return [sys.executable, "-m", *server, self.words[0], *address, *factory]


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


def parse_target(words: Sequence[str], *, factory: bool = False, harden: bool = False) -> Target:
    """Read a target from the words of the command line.

    Args:
        words: `module:attribute`, a URL, or a command with `{port}` in one of its words.
        factory: The attribute is a callable that returns the app.
        harden: Start an import string under `garrison run`.

    Raises:
        UsageFault: The words are no target, or a flag does not go with this kind of target.
    """
    if not words:
        raise UsageFault("no target: give module:attribute, a loopback URL, or -- command ... {port}")
    first = words[0]
    if len(words) == 1 and "://" in first:
        target = _parse_url(first)
    elif len(words) == 1 and _IMPORT_STRING.fullmatch(first):
        return Target(kind="import", words=(first,), factory=factory, harden=harden)
    elif any("{port}" in word for word in words):
        if shutil.which(first) is None and "{port}" not in first:
            raise UsageFault(f"{first!r} is no command on PATH: give its full path, or install it")
        target = Target(kind="command", words=tuple(words))
    elif len(words) == 1:
        raise UsageFault(
            f"{first!r} is no target: give module:attribute (such as shop.main:app), a loopback URL,"
            " or -- command ... {port}"
        )
    else:
        raise UsageFault(
            f"the command {' '.join(words)!r} has no {{port}}:"
            " write {port} where it takes the port to listen on"
        )
    for flag, given in (("--factory", factory), ("--harden", harden)):
        if given:
            raise UsageFault(f"{flag} needs an import string module:attribute, and {str(target)!r} is none")
    return target


def _parse_url(url: str) -> Target:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageFault(f"{url!r} is no URL: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise UsageFault(f"{url!r} is no target: the URL must be http://host:port/ or https://host:port/")
    if parts.username or parts.query or parts.fragment:
        raise UsageFault(
            f"{url!r} holds a user, a query or a fragment: give scheme, host, port and path only"
        )
    if not _PATH.fullmatch(parts.path or "/"):
        raise UsageFault(f"{url!r} holds a path that cannot be sent as it is: percent-encode it")
    if not _is_loopback(parts.hostname):
        raise UsageFault(
            f"{parts.hostname!r} is not on this machine: only 127.0.0.0/8, ::1 and localhost are driven;"
            " start the app here, or give it as module:attribute"
        )
    return Target(kind="url", words=(url,), path=parts.path or "/")


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    # Every address counts: a name with one foreign address could lead traffic away.
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


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
        UsageFault: The log directory cannot be written.
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
            return Running(host=host, port=port, child=child)
        log = child.log_tail(40)
        # Another process may have taken the port between finding it free and listening on it.
        if attempt < _PORT_ATTEMPTS and port_was_taken(log):
            continue
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
    cause = likely_cause(log)
    if port_was_taken(log):
        fix = "free the port it asks for, or let it listen on the port that {port} names"
    elif target.kind == "import":
        fix = "start this in the directory where the import works, and check module, attribute and --factory"
    else:
        fix = "run the command by hand with a port in place of {port}"
    how = f"was ended by signal {-status}" if status < 0 else f"exited with status {status}"
    return TargetFailed(f"{target} {how} before it answered: {cause or 'it wrote nothing'}; {fix}", log)
