"""The lines of a body in chunks, which h11 reads without asking how they end."""

from __future__ import annotations

import re
from typing import Final

import h11
from h11._receivebuffer import ReceiveBuffer

from garrison.server.protocol.flaws import CHUNK, LINE_END

# RFC 9112 section 7.1, and a size that fits into 64 bits: what is larger, others may read as something small.
CHUNK_LINE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}(?:[\t ]*;[\t\x20-\x7e]*)?\r\n")


class StrictBuffer(ReceiveBuffer):
    """What has come and is not parsed yet.

    Attributes:
        is_chunked: whether it is part of a body in chunks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_chunked = False

    def skip_line_ends(self) -> None:
        """Forget the line ends in front of a request (RFC 9112 section 2.2)."""
        if self._data.startswith((b"\r", b"\n")):
            self._extract(len(self._data) - len(self._data.lstrip(b"\r\n")))

    def maybe_extract_next_line(self) -> bytearray | None:
        """The line in front of a chunk, once it is whole.

        Raises:
            LocalProtocolError: it is none; h11 makes an error of the client's of it.
        """
        line = super().maybe_extract_next_line()
        if line is not None and not CHUNK_LINE.fullmatch(line):
            raise h11.LocalProtocolError(CHUNK.detail)
        return line

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """The lines of a head, or those behind the chunks of a body, once they are whole.

        Raises:
            LocalProtocolError: one behind the chunks does not end as it has to, or goes on with the one
                before it; h11 makes an error of the client's of it.
        """
        before = bytes(self._data) if self.is_chunked else b""
        found = super().maybe_extract_lines()
        if found is not None and self.is_chunked:
            lines = before[: len(before) - len(self._data)].split(b"\n")[:-1]
            if any(not line.endswith(b"\r") or line[:1] in {b" ", b"\t"} for line in lines):
                raise h11.LocalProtocolError(LINE_END.detail)
        return found
