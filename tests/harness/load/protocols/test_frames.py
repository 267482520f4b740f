"""Frames of a WebSocket, held against an implementation of others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader
from websockets.utils import accept_key

from garrison_harness.load.protocols.frames import (
    BINARY,
    CLOSE,
    MOST,
    PING,
    TEXT,
    FrameFault,
    FrameReader,
    Message,
    accepted,
    frame,
)


def served(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """What a server sends."""
    return Frame(Opcode(opcode), payload, fin=last).serialize(mask=False)


def read_by_others(data: bytes) -> Frame:
    """A frame as a server reads it."""
    stream = StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    parser = Frame.parse(stream.read_exact, mask=True)
    try:
        while True:
            next(parser)
    except StopIteration as done:
        found: Frame = done.value
        return found


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 65_535, 65_536])
def test_servers_read_what_is_sent(size: int) -> None:
    """A frame of each kind of length comes out as it went in, unmasked by its mask."""
    payload = bytes(range(256)) * (size // 256 + 1)
    found = read_by_others(frame(BINARY, payload[:size], b"\x01\x80\xff\x00"))
    assert (found.opcode, found.data, found.fin) == (Opcode.BINARY, payload[:size], True)


def test_keys_are_answered_alike() -> None:
    """The answer to a handshake is the one of RFC 6455 section 1.3."""
    assert accepted("dGhlIHNhbXBsZSBub25jZQ==") == accept_key("dGhlIHNhbXBsZSBub25jZQ==")


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 50))
def test_messages_are_whole_in_whichever_pieces_they_come(parts: list[bytes], step: int) -> None:
    """A message in fragments, with a ping in the middle, is read byte by byte as at once."""
    stream = b""
    for number, part in enumerate(parts):
        stream += served(TEXT if number == 0 else 0, part, last=number == len(parts) - 1)
        if number == 0 and len(parts) > 1:
            stream += served(PING, b"?")
    reader = FrameReader()
    found = [one for at in range(0, len(stream), step) for one in reader.feed(stream[at : at + step])]
    pings = [Message(PING, b"?")] if len(parts) > 1 else []
    assert found == [*pings, Message(TEXT, b"".join(parts))]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"\xf1\x00", "nobody agreed on"),
        (b"\x83\x00", "nobody agreed on"),
        (b"\x81\x80abcd", "masked"),
        (b"\x89\x7e\x00\xff", "more than 125"),
        (b"\x09\x00", "in pieces"),
        (b"\x80\x00", "the rest of no message"),
        (served(TEXT, b"a", last=False) + served(TEXT, b"b"), "in the middle of another"),
        (b"\x82\x7f" + (MOST + 1).to_bytes(8, "big"), f"more than {MOST} bytes"),
    ],
)
def test_what_no_server_may_send_is_told(stream: bytes, words: str) -> None:
    """A frame against the protocol is the server's fault, and named."""
    with pytest.raises(FrameFault, match=words):
        FrameReader().feed(stream)


def test_a_close_frame_is_a_message() -> None:
    """Its code is what comes first in it."""
    assert FrameReader().feed(served(CLOSE, b"\x03\xe8bye")) == [Message(CLOSE, b"\x03\xe8bye")]
