"""The section of `garrison run`, which is no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from garrison.settings import validate
from garrison.units import Duration, Secret, Size

# More than any machine has processors; whoever means a port is told before the machine is out of memory.
MOST_WORKERS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What `garrison run` serves, and where; the flags of the same name win.

    Attributes:
        target: the app as `module:attribute`.
        factory: whether the attribute is a function that makes the app.
        host: the address to listen on.
        port: the port to listen on; 0 takes a free one.
        unix_socket: the path of a Unix socket to listen on in place of host and port; the folder that it is
            in says who may connect.
        tls_certificate: the path of a PEM file with the server's certificate and those that lead to its
            root; with it, clients are served over https only.
        tls_key: the path of a PEM file with the key; without it, the key is looked for in the certificate's.
        tls_key_password: opens the key where it is encrypted.
        workers: how many processes serve.
        wsgi_threads: how many requests of an app that is no ASGI app but a WSGI app are handled at a time,
            in each process.
        reload: whether to start anew when a Python file below the current directory changes; for
            development.
        drain_delay: how long work goes on as before once the server is told to stop, while readiness is
            refused already, so that balancers take note.
        grace: when whatever is still under way is given up, counted from the order to stop; the drain delay
            is part of it.
        header_timeout: how long a client may take for a TLS handshake, for a request's head, or for what is
            left of a body that nobody wants; more is a 408, or the end of the connection.
        header_bytes: bytes of a head, its request line included; more is a 431.
        header_lines: how many header lines; more is a 431.
        keep_alive: how long a connection without requests is kept.
        cancel_on_disconnect: whether a handler is cancelled whose client leaves before the end of the reply;
            those of WebSockets are told in any case.
        log_level: from which level on lines of the app, its libraries and the server are written; the events
            of the layers always are.
    """

    # Nobody watches readiness there, and whoever stops a server waits for it.
    DEVELOPMENT: ClassVar[Mapping[str, object]] = {"drain_delay": 0.0}

    target: str = ""
    factory: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    unix_socket: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_key_password: Secret | None = None
    workers: int = 1
    wsgi_threads: int = 10
    reload: bool = False
    drain_delay: Duration = 5.0
    grace: Duration = 25.0
    header_timeout: Duration = 10.0
    header_bytes: Size = 32 * 1024
    header_lines: int = 256
    keep_alive: Duration = 5.0
    cancel_on_disconnect: bool = False
    log_level: Literal["debug", "info", "warning", "error", "critical"] = "info"

    def __post_init__(self) -> None:
        validate(self)
        validate(
            self,
            # Sockets take an empty host for every address of the machine.
            ("host", bool(self.host.strip()), "an address or a host name"),
            ("port", 0 <= self.port <= 65535, "a port from 0 to 65535"),
            ("tls_key", bool(self.tls_certificate) or not self.tls_key, "tls_certificate to be set"),
            ("workers", 1 <= self.workers <= MOST_WORKERS, f"from 1 to {MOST_WORKERS}"),
            ("wsgi_threads", self.wsgi_threads >= 1, "at least 1"),
            ("reload", not self.reload or self.workers == 1, "one worker, which starts anew by itself"),
            ("drain_delay", self.drain_delay <= self.grace, f"at most the grace, which is {self.grace:g}s"),
            ("header_timeout", self.header_timeout > 0, "more than 0"),
            ("header_bytes", self.header_bytes >= 1024, "at least 1KiB"),
            ("header_lines", self.header_lines >= 1, "at least 1"),
            ("keep_alive", self.keep_alive > 0, "more than 0"),
        )
