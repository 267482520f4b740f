"""The socket that a server listens on: opened before it starts, closed without losing a connection."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import select
import socket
import stat
import struct
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# How long a handshake that has begun may take to end; a round trip to the far side of the world.
LINGER: Final = 0.25

# Bytes of its replies that the system takes for each connection before it can send them.
UNSENT: Final = 128 * 1024

# asm/socket.h; Python has no name for it.
SO_ATTACH_FILTER: Final = 26

# A classic BPF program over the TCP header (RFC 9293 section 3.1): its 14th byte holds the flags, and what
# has SYN (0x02) among them opens a connection. The fields are those of struct sock_filter (linux/filter.h).
DROP_SYN: Final = b"".join(
    struct.pack("HBBI", *fields)
    for fields in (
        (0x30, 0, 0, 13),  # load the flags
        (0x45, 0, 1, 0x02),  # go on if SYN is set, else skip one
        (0x06, 0, 0, 0),  # return: drop the packet
        (0x06, 0, 0, 0xFFFF),  # return: keep it
    )
)


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why, on one line."""


class Listener:
    """A socket that is bound, and that whoever made it can close to the world.

    Attributes:
        socket: the socket itself, which worker processes share.
    """

    def __init__(self, bound: socket.socket) -> None:
        self.socket = bound
        self._path, self._inode = "", 0
        if bound.family == socket.AF_UNIX:
            self._path = bound.getsockname()
            self._inode = os.stat(self._path).st_ino  # noqa: PTH116 - the path is as it was given

    def refuse(self) -> None:
        """Have no new connection begin, in this process and in all that share the socket.

        What closes a socket resets the connections that wait in its queue, and between the last look into
        the queue and the close one more may have come: its client has sent a request that nobody answers.
        A client whose first packet is dropped sends it again a second later, finds the port closed, and
        knows that nothing of its request was seen. A Unix socket is not found any more.
        """
        if self._path:
            with suppress(OSError):
                # Another server may have taken the path over.
                if os.stat(self._path).st_ino == self._inode:  # noqa: PTH116
                    os.unlink(self._path)  # noqa: PTH108
        elif sys.platform.startswith("linux"):
            program = ctypes.create_string_buffer(DROP_SYN, len(DROP_SYN))
            filtering = struct.pack("HL", len(DROP_SYN) // 8, ctypes.addressof(program))
            with suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, filtering)

    def close(self) -> None:
        """Listen no more, in this process."""
        self.refuse()
        self.socket.close()


def listen_on(host: str, port: int) -> socket.socket:
    """A socket bound to an address, which does not listen yet.

    Raises:
        PortTakenError: the address cannot be bound to.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only for sockets that say they are TCP; with it, every reply on
    # a kept connection waits for the client's delayed acknowledgement (cpython, asyncio/base_events.py).
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, UnicodeError) as error:  # a host name may be no host name at all
        bound.close()
        raise _taken(host, port, error) from None
    bound.set_inheritable(True)
    return bound


def listen_on_path(path: str) -> socket.socket:
    """A Unix socket bound to a path, which does not listen yet.

    What a server that has died has left at the path is replaced; what somebody listens on is not.

    Raises:
        PortTakenError: the path cannot be bound to.
    """
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_left_over(path):
            os.unlink(path)  # noqa: PTH108 - the path is as it was given
        bound.bind(path)
        # Who connects needs the right to write; who may is up to the folder.
        os.chmod(path, 0o666)  # noqa: PTH101, S103
    except OSError as error:
        bound.close()
        why, cure = _reason(error), "stop what listens there"
        if error.errno == errno.EADDRINUSE and not _is_socket(path):
            why, cure = "there is something that is no socket", "remove it"
        raise PortTakenError(
            f"cannot listen on {path}: {why}. Choose another path with --unix-socket, or {cure}."
        ) from None
    bound.set_inheritable(True)
    return bound


def listen(bound: socket.socket, backlog: int) -> None:
    """Listen on a socket that is bound; uvloop does not say when it cannot.

    Args:
        bound: to an address, which another server may have been bound to at the same time.
        backlog: how many connections may wait to be accepted.

    Raises:
        PortTakenError: another one listens there already.
    """
    try:
        bound.listen(backlog)
    except OSError as error:
        host, port, *_ = bound.getsockname()
        raise _taken(host, port, error) from None


def bound_unsent(listener: socket.socket) -> None:
    """Have the system hold little of what clients have yet to take.

    Of a reply that nobody reads it would hold megabytes, and a thousand of them use up the memory that the
    machine has for all its connections: then nobody is served. What is on its way is not counted, so that
    clients at the far end of a fast line do not wait (Linux, tcp(7), TCP_NOTSENT_LOWAT). Connections inherit
    it from their listener.

    Args:
        listener: of connections over TCP; a Unix socket holds little by itself.
    """
    if sys.platform.startswith("linux") and listener.family != socket.AF_UNIX:
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)


async def accept_the_rest(sockets: Sequence[socket.socket]) -> None:
    """Wait until the event loop, which listens still, has accepted what waits in the queues.

    Args:
        sockets: what the loop accepts from.
    """
    await asyncio.sleep(LINGER)
    while _have_waiting(sockets):  # noqa: ASYNC110 - the loop sets no event when it has accepted
        await asyncio.sleep(0)


def _have_waiting(sockets: Sequence[socket.socket]) -> bool:
    queues = select.poll()
    for each in sockets:
        queues.register(each, select.POLLIN)
    return bool(queues.poll(0))


def _is_left_over(path: str) -> bool:
    with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        if _is_socket(path):
            try:
                caller.connect(path)
            except ConnectionRefusedError:
                return True
    return False


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116
    except FileNotFoundError:
        return False


def _taken(host: str, port: int, error: Exception) -> PortTakenError:
    return PortTakenError(
        f"cannot listen on {host} port {port}: {_reason(error)}. Choose another with --host and --port"
        " (--port 0 takes a free one), or stop what listens there."
    )


def _reason(error: Exception) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
