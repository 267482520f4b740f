"""One hostile request, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# What is submitted holds this, and no reply may.
CANARY: Final = "kAnArI77"
MARK: Final = CANARY.encode()

JSON: Final = b"application/json"
FORM: Final = b"application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Case:
    """Bytes that go over one connection.

    Attributes:
        name: how a failure is told.
        sent: all of it.
        statuses: what the reply may be; empty for everything below 500. A server that ends the connection
            without a reply has refused it too.
        whole: whether a server has to answer without waiting for more.
    """

    name: str
    sent: bytes
    statuses: frozenset[int] = frozenset()
    whole: bool = True


def request(
    target: bytes = b"/raw",
    body: bytes | None = None,
    *lines: bytes,
    method: bytes = b"POST",
    content_type: bytes | None = JSON,
) -> bytes:
    """A request with one framing, by its length, unless it has no body."""
    head = [method + b" " + target + b" HTTP/1.1", b"Host: shop.example"]
    if body is not None:
        head.append(b"Content-Length: %d" % len(body))
        if content_type is not None:
            head.append(b"Content-Type: " + content_type)
    return b"\r\n".join([*head, *lines, b"", body or b""])


def cases(group: str, requests: dict[str, bytes], *statuses: int, whole: bool = True) -> list[Case]:
    """Cases of one group that may have these statuses."""
    return [Case(f"{group}: {name}", sent, frozenset(statuses), whole) for name, sent in requests.items()]
