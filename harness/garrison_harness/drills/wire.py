"""One request over a connection of its own, on an event loop, until its reply is whole or cannot come."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import h11

from garrison_harness.drills.recording import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison_harness.drills.recording import Failure
    from garrison_harness.running import Running

PATIENCE: Final = 10.0
"""Seconds after which nobody waits for a reply any more."""

_KEPT: Final = 64 * 1024  # bytes of the body of an error
_MOST_HEADERS: Final = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where requests go.

    Attributes:
        host: An address or a name of this machine.
        port: The TCP port.
        https: Whether it speaks TLS; whose certificate that is does not matter on this machine.
        headers: Lines that every request carries.
    """

    host: str
    port: int
    https: bool = False
    headers: Sequence[tuple[str, str]] = ()

    @classmethod
    def of(cls, running: Running, headers: Sequence[tuple[str, str]] = ()) -> Place:
        """Where a target that is up takes requests."""
        return cls(host=running.host, port=running.port, https=running.https, headers=headers)

    def lines(self, path: str, *others: tuple[str, str], method: str = "GET") -> h11.Request:
        """The head of a request on a connection that ends with it."""
        authority = f"[{self.host}]" if ":" in self.host else self.host
        named = {name.lower() for name, _ in self.headers}
        own = (("Host", f"{authority}:{self.port}"), ("User-Agent", "garrison-drill"), ("Accept", "*/*"))
        lines = [*(line for line in own if line[0].lower() not in named), *self.headers, *others]
        return h11.Request(method=method, target=path, headers=[*lines, ("Connection", "close")])

    def tls(self) -> ssl.SSLContext | None:
        """What speaks TLS, None where nothing does."""
        if not self.https:
            return None
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class Body:
    """A body in two pieces, the second of which is held back.

    Attributes:
        first: Sent with the head.
        rest: Sent once `go` is set.
        go: When to go on.
    """

    first: bytes
    rest: bytes
    go: asyncio.Event


class _Reply(asyncio.Protocol):
    """Reads one reply."""

    def __init__(self, done: asyncio.Future[Failure]) -> None:
        self.parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEADERS)
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.size = 0
        self._done = done

    def data_received(self, data: bytes) -> None:
        self.parser.receive_data(data)
        self._read()

    def eof_received(self) -> bool:
        # The end of a reply that is as long as the connection lasts (RFC 9112 section 6.3).
        self.parser.receive_data(b"")
        self._read()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        del error  # an end in the middle is no reply, whichever kind of end it was
        self._end("cut" if self.status else "reset")

    def _read(self) -> None:
        try:
            while not self._done.done():
                event = self.parser.next_event()
                if isinstance(event, h11.Response):
                    self.status = event.status_code
                    if self.status >= 400:
                        self.headers = {
                            name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers
                        }
                elif isinstance(event, h11.Data):
                    self.size += len(event.data)
                    if self.status >= 400 and len(self.body) < _KEPT:
                        self.body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    self._end("")
                elif not isinstance(event, h11.InformationalResponse):
                    return
        except h11.RemoteProtocolError:
            # An end in the middle raises too.
            ended = self.parser.trailing_data[1]
            self._end(("cut" if self.status else "reset") if ended else "malformed")

    def _end(self, failure: Failure) -> None:
        if not self._done.done():
            self._done.set_result(failure)


async def ask(
    place: Place,
    head: h11.Request,
    now: Callable[[], float],
    *,
    due: float,
    address: str = "",
    body: Body | None = None,
    patience: float = PATIENCE,
) -> Ask:
    """Send a request, and read its reply.

    Args:
        place: Where to.
        head: Its head.
        now: Seconds since the load began.
        due: When it was to be sent.
        address: Where from; the system picks one unless given.
        body: What it carries.
        patience: Seconds after which nobody waits any more.
    """
    began = now()
    done: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
    reply = _Reply(done)
    try:
        async with asyncio.timeout(patience):
            failure = await _exchange(place, reply, head, done, address, body)
    except TimeoutError:
        failure = "timeout"
    except ConnectionRefusedError:
        failure = "refused"
    except (ConnectionError, ssl.SSLError):
        failure = "reset"
    except OSError:
        # No descriptor or no port was left: that is no doing of the target.
        failure = "not sent"
    return Ask(
        due=due,
        began=began,
        ended=now(),
        status=0 if failure else reply.status,
        failure=failure,
        headers=reply.headers,
        body=bytes(reply.body[:_KEPT]).decode("utf-8", "replace"),
        size=reply.size,
    )


async def _exchange(
    place: Place,
    reply: _Reply,
    head: h11.Request,
    done: asyncio.Future[Failure],
    address: str,
    body: Body | None,
) -> Failure:
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: reply,
        place.host,
        place.port,
        ssl=place.tls(),
        local_addr=(address, 0) if address else None,
    )
    try:
        # While nothing listens there, a connection from a port to itself can come about.
        if transport.get_extra_info("sockname") == transport.get_extra_info("peername"):
            return "refused"
        transport.write((reply.parser.send(head) or b"") + (body.first if body is not None else b""))
        if body is not None:
            await _either(body.go, done)
            if done.done():
                return done.result()
            transport.write(body.rest)
            reply.parser.send(h11.Data(data=body.first + body.rest))
        reply.parser.send(h11.EndOfMessage())
        return await done
    finally:
        transport.abort()


async def _either(go: asyncio.Event, done: asyncio.Future[Failure]) -> None:
    """Wait until one of them is set."""
    waiting = asyncio.ensure_future(go.wait())
    both: list[asyncio.Future[Any]] = [waiting, done]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
