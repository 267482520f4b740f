"""The frames of a WebSocket, as a client sends and reads them (RFC 6455 section 5)."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

MOST: Final = 1_048_576
"""Bytes of a message that are read."""

_KNOWN: Final = frozenset({0, TEXT, BINARY, CLOSE, PING, PONG})
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class FrameFault(Exception):  # noqa: N818 - the fault is the server's
    """What the server sent is no frame that it may send; the text says why."""


@dataclass(frozen=True, slots=True)
class Message:
    """A control frame, or a whole message.

    Attributes:
        kind: Its opcode.
        payload: What it holds.
    """

    kind: int
    payload: bytes


def accepted(key: str) -> str:
    """What a server answers to the key of a handshake (RFC 6455 section 4.2.2)."""
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def frame(kind: int, payload: bytes, mask: bytes) -> bytes:
    """One frame, masked as a client has to.

    Args:
        kind: The opcode.
        payload: What it holds.
        mask: Four bytes.
    """
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | kind, 0x80 | length))
    elif length < 65_536:
        head = bytes((0x80 | kind, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, 0x80 | 127)) + length.to_bytes(8, "big")
    stream = (mask * (length // 4 + 1))[:length]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")
    return head + mask + masked.to_bytes(length, "big")


class FrameReader:
    """Makes messages out of what a server sends, in whichever pieces it comes."""

    def __init__(self) -> None:
        self._waiting = b""
        self._kind = 0
        self._parts: list[bytes] = []

    def feed(self, received: bytes) -> list[Message]:
        """The messages that are whole by now.

        Args:
            received: What came next.

        Raises:
            FrameFault: It is against the protocol.
        """
        self._waiting += received
        messages = []
        while (taken := self._frame()) is not None:
            message = self._take(*taken)
            if message is not None:
                messages.append(message)
        return messages

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """Whether it is the last of its message, its opcode, and its payload; None while it is not whole."""
        data = self._waiting
        if len(data) < 2:
            return None
        if data[0] & 0x70 or data[0] & 0x0F not in _KNOWN:
            raise FrameFault("a frame of a kind that nobody agreed on")
        if data[1] & 0x80:
            raise FrameFault("a frame that is masked (RFC 6455 section 5.1)")
        size, start = data[1] & 0x7F, 2
        if size > 125:
            if data[0] & 0x08:
                raise FrameFault("a control frame of more than 125 bytes")
            start += 2 if size == 126 else 8
            if len(data) < start:
                return None
            size = int.from_bytes(data[2:start], "big")
        if size + sum(map(len, self._parts)) > MOST:
            raise FrameFault(f"a message of more than {MOST} bytes")
        if len(data) < start + size:
            return None
        self._waiting = data[start + size :]
        return bool(data[0] & 0x80), data[0] & 0x0F, data[start : start + size]

    def _take(self, last: bool, kind: int, payload: bytes) -> Message | None:
        if kind >= CLOSE:
            if not last:
                raise FrameFault("a control frame in pieces")
            return Message(kind, payload)
        if bool(kind) == bool(self._kind):
            raise FrameFault("a message in the middle of another" if kind else "the rest of no message")
        self._kind = kind or self._kind
        self._parts.append(payload)
        if not last:
            return None
        message = Message(self._kind, b"".join(self._parts))
        self._kind, self._parts = 0, []
        return message
