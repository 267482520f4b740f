"""What a server says of itself when it starts: where it is, what it enforces, and what it was not told."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garrison.preflight import examine
from garrison.sections import optional_sections, sections_of
from garrison.stack import is_on

if TYPE_CHECKING:
    from garrison.stack import Settings

_log = logging.getLogger("garrison")


@dataclass(frozen=True, slots=True)
class Listening:
    """Logs that clients are served, once they are.

    Args:
        place: where the server listens.
        target: what it serves.
        workers: how many processes do.
    """

    place: str
    target: str
    workers: int

    def __call__(self) -> None:
        """Log it."""
        _log.info("listening on %s for %s", self.place, self.target, extra={"workers": self.workers})


def listening(settings: Settings, bound: socket.socket) -> Listening:
    """What to log when clients are served; it can be given to another process.

    Args:
        settings: with what is served in its server section.
        bound: where the server listens.
    """
    section = settings.server
    place = address_of(bound, https=bool(section.tls_certificate))
    return Listening(place, section.target or "the app", section.workers)


def announce(settings: Settings) -> None:
    """Log a few lines for whoever starts the server.

    Args:
        settings: what is enforced.
    """
    layers = optional_sections(type(settings))
    enforced = [name for name in sections_of(type(settings)) if name in layers and is_on(settings, name)]
    unset = [advice.variable for advice in examine(settings) if advice.level == "warning"]
    _log.info("enforcing", extra={"layers": " ".join(enforced)})
    if unset:
        _log.info(
            "some protection is not set up: `garrison config --check` says what it takes",
            extra={"variables": " ".join(unset)},
        )


def address_of(bound: socket.socket, *, https: bool) -> str:
    """Where clients reach a socket: a URL, or `unix:` and a path.

    Args:
        bound: the socket.
        https: whether clients are to speak TLS.
    """
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return f"http{'s' if https else ''}://{f'[{host}]' if ':' in host else host}:{port}"
