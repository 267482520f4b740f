"""Clients that are slow: heads and bodies that come a little at a time, and replies that nobody reads."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from garrison_harness.drills.constant_load import ConstantLoad

Kind = Literal["heads", "bodies", "readers"]
KINDS: Final[tuple[Kind, ...]] = ("heads", "bodies", "readers")

_DRIP: Final = 0.25  # seconds between two pieces
_BODY: Final = 100_000  # bytes that are announced
_SMALL: Final = 4096  # bytes that the system takes for a reader who does not read
_PATIENCE: Final = 10.0  # seconds for a connection, and for a reply that is read at last
_LARGE: Final = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """What became of one slow client.

    Attributes:
        kind: What it was slow with.
        held: Seconds until the target ended it, or answered; None where it did neither.
    """

    kind: Kind
    held: float | None = None


async def be_slow(load: ConstantLoad, kind: Kind, path: str, size: int, leave: asyncio.Event) -> Slow:
    """Be slow until the target has enough of it, or until told to leave.

    Args:
        load: Where to, and by which clock.
        kind: What to be slow with.
        path: What to ask for.
        size: Bytes of the body that is sent there to whoever reads it.
        leave: Set when it is over.
    """
    loop = asyncio.get_running_loop()
    place, address = load.place, load.addresses.new()
    began = load.now()
    connection = socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET)
    try:
        connection.setblocking(False)  # noqa: FBT003 - its one argument
        if kind == "readers":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        if address:
            connection.bind((address, 0))
        async with asyncio.timeout(_PATIENCE):
            await loop.sock_connect(connection, (place.host, place.port))
        first, drip = _words(load, kind, path)
        await loop.sock_sendall(connection, first)
        if kind == "readers":
            await leave.wait()
            ended = await _ends_early(connection, size)
        else:
            ended = await _drips(connection, drip, leave)
    except OSError:
        ended = True  # nobody let it in, so nobody waits for it
    finally:
        connection.close()
    return Slow(kind=kind, held=load.now() - began if ended else None)


def _words(load: ConstantLoad, kind: Kind, path: str) -> tuple[bytes, bytes]:
    """What is sent at once, and what then comes again and again."""
    place = load.place
    authority = f"[{place.host}]" if ":" in place.host else place.host
    method = "POST" if kind == "bodies" else "GET"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {authority}:{place.port}"]
    lines += [f"{name}: {value}" for name, value in place.headers]
    head = "\r\n".join(lines).encode("latin-1")
    if kind == "heads":
        return head, b"\r\nX-Garrison: a"
    if kind == "bodies":
        framing = f"\r\nContent-Type: application/json\r\nContent-Length: {_BODY}\r\n\r\n".encode()
        return head + framing + b'"', b"a"
    return head + b"\r\n\r\n", b""


async def _drips(connection: socket.socket, drip: bytes, leave: asyncio.Event) -> bool:
    """Send on, a little at a time; whether the target had enough of it."""
    loop = asyncio.get_running_loop()
    while not leave.is_set():
        await asyncio.sleep(_DRIP)
        try:
            await loop.sock_sendall(connection, drip)
            connection.recv(1)
        except BlockingIOError:
            continue
        except OSError:
            return True
        # An end (no byte) or an answer (408, 400): both mean that it is not waited for any more.
        return True
    return False


async def _ends_early(connection: socket.socket, size: int) -> bool:
    """Read at last; whether less than a whole reply is there.

    The end of a connection comes behind all that the system holds back for a reader, and is seen no sooner.
    """
    loop = asyncio.get_running_loop()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LARGE)
    head, found = b"", -1
    try:
        async with asyncio.timeout(_PATIENCE):
            while found < size:
                data = await loop.sock_recv(connection, _LARGE)
                if not data:
                    return True
                if found >= 0:
                    found += len(data)
                    continue
                head += data
                _, end, body = head.partition(b"\r\n\r\n")
                found = len(body) if end else -1
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
