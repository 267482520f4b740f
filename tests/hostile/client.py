"""Sends hostile bytes over sockets, many at once, and says what came back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hostile.case import Case

AT_ONCE: Final = 16

# A server that has not answered by then hangs; one that need not answer yet is not waited for.
SECONDS: Final = 10.0
PATIENCE: Final = 0.2


class Outcome(NamedTuple):
    """What came of a case.

    Attributes:
        case: that was sent.
        status: of the reply; 0 where the server ended the connection without one, and -1 where it was silent.
        reply: as many bytes of it as came.
        closed: whether the server ended the connection behind the reply.
    """

    case: Case
    status: int
    reply: bytes
    closed: bool


async def attack(port: int, cases: Sequence[Case]) -> list[Outcome]:
    """The outcome of each case, each over a connection of its own."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(case: Case) -> Outcome:
        async with slots:
            return await _send(port, case)

    return await asyncio.gather(*(one(case) for case in cases))


async def _send(port: int, case: Case) -> Outcome:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writing = asyncio.create_task(_write(writer, case.sent))
    reply = bytearray()
    ended = False
    try:
        async with asyncio.timeout(SECONDS if case.whole else PATIENCE):
            ended = await _read(reader, reply)
    except TimeoutError:
        return Outcome(case, _status(reply, -1), bytes(reply), closed=False)
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError, ConnectionError):
            await writing
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
    return Outcome(case, _status(reply, 0), bytes(reply), closed=ended)


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    # A server that refuses early need not read the rest.
    with suppress(ConnectionError):
        writer.write(data)
        await writer.drain()


async def _read(reader: asyncio.StreamReader, reply: bytearray) -> bool:
    """Read one reply with a known length; whether the server has hung up before or behind it."""
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            reply += part
            if reply.startswith(b"HTTP/1.1 100") and b"\r\n\r\n" in reply:
                # What some servers say by themselves to whoever expects it.
                del reply[: reply.index(b"\r\n\r\n") + 4]
            head, found, body = bytes(reply).partition(b"\r\n\r\n")
            length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0].strip()
            if found and length.isdigit() and len(body) >= int(length):
                return b"\r\nconnection: close" in head.lower()
    return True


def _status(reply: bytearray, otherwise: int) -> int:
    words = bytes(reply).split(b" ", 2)
    return int(words[1][:3]) if len(words) > 1 and words[1][:3].isdigit() else otherwise
