"""What the users that write to a socket themselves share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from gevent import socket, ssl
from locust import User
from locust.exception import CatchResponseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from locust.env import Environment

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Status:
    """A reply of which only the status is told, to Locust's listeners.

    Attributes:
        status_code: 0 for none.
        headers: None: they are not judged.
        content: None.
    """

    status_code: int
    headers: None = None
    content: None = None


class SocketUser(User):
    """A user with a socket of its own.

    Attributes:
        path: What it asks for, with a query where it has one.
        headers: What every request carries that is a request.
        tags: What everything is counted under, beside its name.
        connection_timeout: Seconds until a connection must be there.
        address: From where it speaks; None for what the system picks.
    """

    abstract = True

    path: ClassVar[str] = "/"
    headers: Sequence[tuple[str, str]] = ()
    tags: ClassVar[Sequence[str]] = ()
    connection_timeout: ClassVar[float] = 10.0
    address: str | None = None

    def __init__(self, environment: Environment) -> None:
        """Get to know where the target is.

        Args:
            environment: Locust's.
        """
        super().__init__(environment)
        parts = urlsplit(self.host or environment.host or "")
        self._tls = parts.scheme == "https"
        self._place = (parts.hostname or "localhost", parts.port or _PORTS.get(parts.scheme, 80))
        self.authority = parts.netloc.rpartition("@")[2]
        self.base = f"{parts.scheme}://{self.authority}"

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        """A connection to the target.

        Args:
            receive_buffer: Bytes that the system may hold back for a slow reader; 0 for as many as it likes.

        Raises:
            OSError: There is none.
        """
        problem: OSError = ConnectionError("nowhere to connect to")
        for family, kind, protocol, _, place in socket.getaddrinfo(*self._place, 0, socket.SOCK_STREAM):
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(self.connection_timeout)
                if receive_buffer:
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
                if self.address is not None and family == socket.AF_INET:
                    made.bind((self.address, 0))
                made.connect(place)
                # Locust's users do not check certificates either: the target is on this machine.
                return ssl._create_unverified_context().wrap_socket(made) if self._tls else made  # noqa: SLF001
            except OSError as error:
                made.close()
                problem = error
        raise problem

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """The head of a request, without the empty line at its end.

        Args:
            method: Of the request.
            path: Of the request.
            lines: Further header lines.
        """
        own = (f"Host: {self.authority}", *(f"{name}: {value}" for name, value in self.headers))
        return "\r\n".join((f"{method} {path} HTTP/1.1", *own, *lines, "")).encode("latin-1")

    def tell(
        self, kind: str, name: str, seconds: float, *, status: int = 0, fault: str | Exception | None = None
    ) -> None:
        """Tell Locust of one request.

        Args:
            kind: What stands where others have a method.
            name: What it is counted under, behind that.
            seconds: How long the target took.
            status: Of the reply, 0 for none.
            fault: What is wrong with it.
        """
        failed = CatchResponseError(fault) if isinstance(fault, str) else fault
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=seconds * 1000,
            response_length=0,
            start_time=time.time() - seconds,
            url=f"{self.base}{self.path}",
            response=Status(status),
            context={**self.context(), "tags": self.tags},
            exception=failed,
        )
