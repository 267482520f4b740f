"""Counts what a compressed body would become, without keeping it."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.problems import Problem

    Judge = Callable[[bytes], Problem | None]

# RFC 9110 section 8.4.1; windows of zlib, 16 more for the format of gzip.
GZIP: Final = zlib.MAX_WBITS + 16
ZLIB: Final = zlib.MAX_WBITS
RAW: Final = -zlib.MAX_WBITS
CODINGS: Final = frozenset({b"gzip", b"x-gzip", b"deflate"})

# Bytes that are inflated at a time, and what they may become at a time before they are forgotten. zlib copies
# what it leaves over of the former, so that much at once would take quadratic time.
STEP: Final = 4 * 1024
MOST_AT_ONCE: Final = 64 * 1024

# One on top of the other; nobody sends more than one, and each can be a bomb for the next.
MOST: Final = 2


class Inflating:
    """One coding of a body, undone piece by piece.

    What cannot be inflated has no size, and ends: an app cannot inflate it either.

    Args:
        coding: one of `CODINGS`.
    """

    __slots__ = ("_coding", "_head", "_over", "_stream")

    def __init__(self, coding: bytes) -> None:
        self._coding = coding
        self._head = b""
        self._over = False
        self._stream = zlib.decompressobj(GZIP)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What the next bytes of the body become, in pieces of at most `MOST_AT_ONCE`."""
        if self._coding == b"deflate" and len(self._head) < 2:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            self._stream = zlib.decompressobj(ZLIB if has_zlib_header(data) else RAW)
        for at in range(0, len(data), STEP):
            yield from self._step(data[at : at + STEP])

    def _step(self, data: bytes) -> Iterator[bytes]:
        while data and not self._over:
            try:
                piece = self._stream.decompress(data, MOST_AT_ONCE)
            except zlib.error:
                self._over = True
                return
            if piece:
                yield piece
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                # A gzip file may have several members (RFC 1952 section 2.2).
                data = self._stream.unused_data
                self._over = self._coding == b"deflate"
                self._stream = zlib.decompressobj(GZIP)


def has_zlib_header(data: bytes) -> bool:
    """Whether a deflated body is in the zlib format (RFC 1950 section 2.2), as it should be.

    Args:
        data: at least two bytes of its beginning.
    """
    return data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:2], "big") % 31 == 0


class Inflated:
    """Judges a compressed body by what it becomes.

    Args:
        codings: of the body, the first one applied first, each one of `CODINGS`, and at most `MOST`.
        limit: bytes that it may become.
        too_large: what to say about more.
        judge: of what it becomes; None where that is of no interest.
    """

    __slots__ = ("_judge", "_layers", "_left", "_too_large")

    def __init__(
        self, codings: tuple[bytes, ...], limit: int, too_large: Problem, judge: Judge | None
    ) -> None:
        self._layers = [Inflating(coding) for coding in reversed(codings)]
        self._left = limit
        self._too_large = too_large
        self._judge = judge

    def __call__(self, data: bytes) -> Problem | None:
        """What is wrong with the body, now that these bytes have arrived."""
        return self._judged(data, 0)

    def _judged(self, data: bytes, layer: int) -> Problem | None:
        last = layer == len(self._layers) - 1
        for piece in self._layers[layer].pieces(data):
            # What is between two codings counts too: it need not be anything that the next one can undo.
            self._left -= len(piece)
            if self._left < 0:
                return self._too_large
            if not last:
                problem = self._judged(piece, layer + 1)
            else:
                problem = self._judge(piece) if self._judge is not None else None
            if problem is not None:
                return problem
        return None


def can_inflate(codings: tuple[bytes, ...]) -> bool:
    """Whether a body in these codings can be counted; those that Python cannot undo, such as `br`, cannot."""
    return 0 < len(codings) <= MOST and CODINGS.issuperset(codings)
