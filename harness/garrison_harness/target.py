"""Names any app: an import string, a command, or a URL."""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypedDict
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

IMPORT_STRING = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
"""`module:attribute`, as servers take it."""

SERVERS = ("uvicorn", "granian", "hypercorn", "garrison")
"""What an import string can be booted under; all but the last serve the app as it is."""

START_TIMEOUT = 20.0
"""How long a target may take until it answers, in seconds, where nobody says otherwise."""

_PATH = re.compile(r"/[!-~]*")


class TargetFailed(Exception):  # noqa: N818 - the name says what happened
    """The target did not start, or does not answer: exit status 3."""

    def __init__(self, line: str, log: Sequence[str] = ()) -> None:
        """Keep the one line for the person, with the fix, and the last lines of the target's log."""
        super().__init__(line)
        self.log = tuple(log)


class UsageFault(Exception):  # noqa: N818 - the fault is the caller's, and this is no failure of the tool
    """What was asked for cannot be done as it was asked: exit status 2; the text is one line with the fix."""


class TargetRecord(TypedDict):
    """A target in the JSON of every report: `words` as they were given, `url` where it was reached."""

    kind: Literal["import", "command", "url"]
    words: list[str]
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to drive, checked, with nothing started yet.

    Attributes:
        kind: How the app is reached: an import string and a command are started here, a URL is not.
        words: The import string, the command or the URL as it was given.
        factory: The attribute of an import string is called to get the app.
        server: What an import string is booted under, one of `SERVERS`; `garrison` hardens it.
        in_process: An import string is driven in this process, without a server.
        path: The path of a URL, `/` otherwise.
        environment: Variables of the process on top of those of this one.
        start_timeout: How long it may take until it answers, in seconds.
    """

    kind: Literal["import", "command", "url"]
    words: tuple[str, ...]
    factory: bool = False
    server: str = "uvicorn"
    in_process: bool = False
    path: str = "/"
    environment: tuple[tuple[str, str], ...] = ()
    start_timeout: float = START_TIMEOUT

    @property
    def harden(self) -> bool:
        """Whether an import string is started under `garrison run`."""
        return self.server == "garrison"

    def __str__(self) -> str:
        """The target as the person wrote it."""
        return " ".join(self.words)

    def to_record(self, url: str) -> TargetRecord:
        """The target in JSON's types, reached at `url`."""
        return {"kind": self.kind, "words": list(self.words), "url": url}

    def command(self, port: int) -> list[str]:
        """The command that serves this target on a port of 127.0.0.1; a URL has none."""
        if self.kind == "command":
            return [word.replace("{port}", str(port)) for word in self.words]
        app, address = self.words[0], ["--host", "127.0.0.1", "--port", str(port)]
        factory = ["--factory"] if self.factory else []
        # The toolkit is started by name, as any other server: judge and suspect share no code.
        words = {
            "uvicorn": ["uvicorn", "--no-use-colors", app, *address, *factory],
            "granian": ["granian", "--interface", "asgi", app, *address, *factory],
            # It calls what it takes from the module where the name says so.
            "hypercorn": ["hypercorn", f"{app}()" if self.factory else app, "--bind", f"127.0.0.1:{port}"],
            "garrison": ["garrison", "run", app, *address, *factory],
        }[self.server]
        return [sys.executable, "-m", *words]


def parse_target(
    words: Sequence[str],
    *,
    factory: bool = False,
    harden: bool = False,
    server: str | None = None,
    in_process: bool = False,
    remote: bool = False,
    environment: Sequence[tuple[str, str]] = (),
    start_timeout: float = START_TIMEOUT,
) -> Target:
    """Read a target from the words of the command line.

    Args:
        words: `module:attribute`, a URL, or a command with `{port}` in one of its words.
        factory: The attribute is a callable that returns the app.
        harden: Start an import string under `garrison run`.
        server: Start an import string under this server; uvicorn unless given.
        in_process: Drive an import string in this process.
        remote: A URL may be of another machine, because its owner asked for it.
        environment: Variables for the process of an import string or a command.
        start_timeout: How long that may take until it answers, in seconds.

    Raises:
        UsageFault: The words are no target, or a flag does not go with this kind of target.
    """
    if not words:
        raise UsageFault(
            "no target: give module:attribute, a loopback URL, or -- command ... {port}, or name it in"
            " [tool.garrison]"
        )
    first = words[0]
    if len(words) == 1 and "://" in first:
        target = _parse_url(first, remote=remote)
    elif len(words) == 1 and IMPORT_STRING.fullmatch(first):
        server = _server(server, harden=harden, in_process=in_process)
        return Target(
            kind="import",
            words=(first,),
            factory=factory,
            server=server,
            in_process=in_process,
            environment=tuple(environment),
            start_timeout=start_timeout,
        )
    elif any("{port}" in word for word in words):
        if shutil.which(first) is None and "{port}" not in first:
            raise UsageFault(f"{first!r} is no command on PATH: give its full path, or install it")
        target = Target(
            kind="command",
            words=tuple(words),
            environment=tuple(environment),
            start_timeout=start_timeout,
        )
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
    flags = {
        "--factory": factory,
        "--harden": harden,
        "--server": server is not None,
        "--in-process": in_process,
    }
    for flag, given in flags.items():
        if given:
            raise UsageFault(f"{flag} needs an import string module:attribute, and {str(target)!r} is none")
    if environment and target.kind == "url":
        raise UsageFault("--env is for what is started here, and a URL is not: leave it out")
    return target


def _server(server: str | None, *, harden: bool, in_process: bool) -> str:
    """The server for an import string; the toolkit is a process of its own, and a server too."""
    if in_process and (harden or server is not None):
        raise UsageFault(
            f"--in-process starts no server, and {'--harden' if harden else '--server'} asks for one:"
            " leave one of them out"
        )
    if harden and server not in {None, "garrison"}:
        raise UsageFault(
            f"--harden starts garrison run, and --server asks for {server}: leave one of them out"
        )
    return "garrison" if harden else server or "uvicorn"


def _parse_url(url: str, *, remote: bool) -> Target:
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
    if not remote and not _is_loopback(parts.hostname):
        raise UsageFault(
            f"{parts.hostname!r} is not on this machine: only 127.0.0.0/8, ::1 and localhost are driven;"
            " start the app here, give it as module:attribute,"
            " or audit it with garrison check --i-own-this-host"
        )
    return Target(kind="url", words=(url,), path=parts.path or "/")


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    # Every address counts: a name with one foreign address could lead traffic away.
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)
