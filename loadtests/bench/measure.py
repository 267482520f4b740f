"""What one request costs an app that is called as a server calls it: CPU time of the event loop's thread."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message

# What a browser's fetch behind a proxy sends, in lower case and in raw bytes as uvicorn hands it on.
REQUEST_HEADERS = (
    (b"host", b"api.example.com"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"application/json"),
    (b"accept-language", b"en-GB,en;q=0.9"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
)
PATH = "/items/42"

# Of a body, servers hand on so many bytes at a time.
PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The request that is measured with.

    Attributes:
        method: in capital letters.
        path: without anything that would have to be encoded.
        query: as it is on the wire.
        body: JSON, or none.
    """

    method: str = "GET"
    path: str = PATH
    query: bytes = b""
    body: bytes = b""


PLAIN = Sent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to serve the same app.

    Attributes:
        name: as the table shows it.
        app: the whole stack, with the app inside.
    """

    name: str
    app: ASGIApp


class WrongReplyError(Exception):
    """A variant did not serve every request, so that its cost says nothing.

    Args:
        name: of the variant.
        expected: how many replies with status 200.
        wire: what came instead.
    """

    def __init__(self, name: str, expected: int, wire: Wire) -> None:
        super().__init__(
            f"{name}: expected {expected} replies with status 200, found {wire.finished}"
            f" and status {wire.status}"
        )


class Wire:
    """Both ends of a connection; it counts and does no more.

    Args:
        body: that the client sends with each request.
    """

    __slots__ = ("_pieces", "finished", "left", "status")

    def __init__(self, body: bytes = b"") -> None:
        self._pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)][::-1] or [b""]
        self.left = 0
        self.status = 200
        self.finished = 0

    def begin(self) -> None:
        """The client sends a request."""
        self.left = len(self._pieces)

    async def receive(self) -> Message:
        """The body once for each request, and then the end of the client."""
        if self.left:
            self.left -= 1
            return {"type": "http.request", "body": self._pieces[self.left], "more_body": self.left > 0}
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Count what is finished, and keep a status that should not be."""
        if message["type"] == "http.response.start":
            if message["status"] != 200:
                self.status = message["status"]
        elif not message.get("more_body", False):
            self.finished += 1


def request_scope(sent: Sent = PLAIN) -> dict[str, Any]:
    """A fresh scope with the keys that uvicorn gives a plain HTTP/1.1 request.

    Args:
        sent: what the client asks for.
    """
    headers = list(REQUEST_HEADERS)
    if sent.body:
        headers.append((b"content-type", b"application/json"))
        headers.append((b"content-length", str(len(sent.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("10.0.0.5", 8000),
        "client": ("203.0.113.7", 50412),
        "scheme": "http",
        "method": sent.method,
        "root_path": "",
        "path": sent.path,
        "raw_path": sent.path.encode(),
        "query_string": sent.query,
        "headers": headers,
        "state": {},
    }


async def cost(variant: Variant, requests: int, settle: Callable[[], None], sent: Sent = PLAIN) -> float:
    """Send requests one after the other and say what one cost.

    The time is that of the calling thread alone: an exporter's thread works elsewhere in production
    too, and what the machine does besides is not counted.

    Args:
        variant: what to call.
        requests: how many.
        settle: called when the clock has stopped, to empty what the requests have filled.
        sent: the request.

    Returns:
        CPU time of this thread in µs per request.

    Raises:
        WrongReplyError: if one of the replies is missing or has a status other than 200.
    """
    app, wire = variant.app, Wire(sent.body)
    receive, send = wire.receive, wire.send
    gc.collect()
    started = time.thread_time_ns()
    for _ in range(requests):
        wire.begin()
        await app(request_scope(sent), receive, send)
    spent = time.thread_time_ns() - started
    settle()
    if wire.finished != requests or wire.status != 200:
        raise WrongReplyError(variant.name, requests, wire)
    return spent / 1000 / requests
