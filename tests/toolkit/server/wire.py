"""HTTP/1.1 by hand: what goes over the wire, byte by byte."""

from __future__ import annotations

import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Reply:
    """One reply as it came."""

    status: int
    lines: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        """A header that must be there once."""
        (value,) = [value for key, value in self.lines if key == name]
        return value

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.lines)

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


class Connection:
    """A connection to a server on loopback."""

    def __init__(self, port: int, source: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))
        self._stream = self.socket.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Send a request line, header lines, and what follows them."""
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def reply(self) -> Reply:
        """Read one reply with a known length."""
        status = int(self._stream.readline().split()[1])
        lines = []
        while (line := self._stream.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(": ")
            lines.append((name.lower(), value))
        size = int(dict(lines).get("content-length", "0"))
        return Reply(status, tuple(lines), self._stream.read(size))

    def line(self) -> bytes:
        """Read one line of whatever comes."""
        return self._stream.readline()

    def is_closed(self) -> bool:
        """Whether the server has ended the connection; waits for what it does."""
        try:
            return self._stream.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self.socket.close()


@contextmanager
def connected(port: int, source: str = "127.0.0.1") -> Iterator[Connection]:
    """A connection that is closed at the end."""
    connection = Connection(port, source)
    try:
        yield connection
    finally:
        connection.close()


def ask(port: int, path: str = "/", *headers: str, source: str = "127.0.0.1") -> Reply:
    """One GET on a connection of its own."""
    with connected(port, source) as connection:
        connection.send(f"GET {path} HTTP/1.1", "Host: shop.example", *headers)
        return connection.reply()
