"""Bodies in content codings: bombs, broken streams, and codings that nobody has asked for."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from functools import cache
from typing import Final

from tests.hostile.case import FORM, JSON, MARK, Case, cases, request

SOUND: Final = b'{"name": "' + MARK + b'"}'
TYPES: Final = [JSON, FORM, b"text/plain", b"application/octet-stream", None]


def raw_deflate(text: bytes) -> bytes:
    """Without the header of the zlib format."""
    stream = zlib.compressobj(9, wbits=-15)
    return stream.compress(text) + stream.flush()


@cache
def _bombs() -> dict[str, tuple[bytes, bytes]]:
    zeros, brackets = b"\0" * 12_000_000, b"[" * 12_000_000
    return {
        "zeros": (b"gzip", gzip.compress(zeros)),
        "zeros in zlib": (b"deflate", zlib.compress(zeros, 9)),
        "zeros, raw": (b"deflate", raw_deflate(zeros)),
        "zeros by an old name": (b"x-gzip", gzip.compress(zeros)),
        "zeros in capitals": (b"GZIP", gzip.compress(zeros)),
        "twice": (b"gzip, gzip", gzip.compress(gzip.compress(zeros))),
        "both": (b"deflate, gzip", gzip.compress(zlib.compress(zeros, 9))),
        "members": (b"gzip", gzip.compress(b"\0" * 100_000) * 120),
        "brackets": (b"gzip", gzip.compress(brackets)),
        "a sound beginning": (b"gzip", gzip.compress(SOUND + b" " * 12_000_000)),
    }


def coded() -> list[Case]:
    """Each bomb as JSON, which is inflated before the app sees it, and as all else, which is not."""
    bombs = {
        f"{name} as {kind!r}": request(b"/raw", body, b"Content-Encoding: " + coding, content_type=kind)
        for name, (coding, body) in _bombs().items()
        for kind in TYPES
    }
    broken = {
        "cut short": (b"gzip", gzip.compress(SOUND)[:-6]),
        "wrong sum": (b"gzip", gzip.compress(SOUND)[:-8] + b"\0" * 8),
        "no stream": (b"gzip", SOUND),
        "junk behind": (b"gzip", gzip.compress(SOUND) + b"\xff" * 100),
        "nothing": (b"gzip", b""),
        "header only": (b"gzip", b"\x1f\x8b\x08"),
        "wrong name": (b"deflate", gzip.compress(SOUND)),
        "zlib as gzip": (b"gzip", zlib.compress(SOUND)),
        "empty members": (b"gzip", gzip.compress(b"") * 20_000),
        "bzip2": (b"bzip2", bz2.compress(SOUND)),
        "xz": (b"xz", lzma.compress(SOUND)),
        "br": (b"br", b"\x8b\x03\x80" + SOUND),
        "zstd": (b"zstd", b"\x28\xb5\x2f\xfd" + SOUND),
        "unknown": (MARK, SOUND),
        "star": (b"*", SOUND),
        "empty name": (b"", SOUND),
        "many": (b", ".join([b"gzip"] * 50), gzip.compress(SOUND)),
        "identity and gzip": (b"identity, gzip", gzip.compress(SOUND)),
        "chunked": (b"chunked", SOUND),
        "not ASCII": (b"gz\xefp", SOUND),
    }
    damaged = {
        f"{name} as {kind!r}": request(b"/raw", body, b"Content-Encoding: " + coding, content_type=kind)
        for name, (coding, body) in broken.items()
        for kind in TYPES
    }
    huge = {
        f"{name} as JSON": request(b"/raw", body, b"Content-Encoding: " + coding)
        for name, (coding, body) in _bombs().items()
    }
    labelled = {
        f"{coding!r} as {kind!r}": request(
            b"/raw", b"[" * 100_000, b"Content-Encoding: " + coding, content_type=kind
        )
        for coding in (b"gzip", b"deflate", b"br", b"zstd", b"unknown")
        for kind in (JSON, FORM, b"text/plain", None)
    }
    return [
        *cases("bomb", huge, 400, 413),
        *cases("bomb", bombs),
        *cases("coding", damaged),
        *cases("depth in no coding", labelled, 400, 415),
    ]
