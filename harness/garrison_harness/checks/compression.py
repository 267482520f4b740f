"""A small body that unpacks to a huge one is refused, and not unpacked first."""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.request_bounds import JSON_LINES, require_route, small_body
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_LEAST: Final = 64_000_000  # bytes; a leap that stands out from what a process needs anyway
_PIECE: Final = 1_000_000
_GZIP: Final = 31  # wbits for a gzip wrapper
_LOOK: Final = 0.02  # seconds between two looks at the memory
_SMALL: Final = b'{"garrison": "check"}'
_GARBAGE: Final = b"no gzip at all"


@cache
def _bomb(size: int) -> bytes:
    """A JSON string of about that many bytes, a thousandth of it in gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    filling = b"a" * _PIECE
    parts = [packer.compress(b'"')]
    parts += [packer.compress(filling) for _ in range(size // _PIECE)]
    return b"".join([*parts, packer.compress(b'"'), packer.flush()])


def _unpacked(site: Site) -> int:
    return max(_LEAST, 4 * site.max_body)


def _gzipped(site: Site, body: bytes) -> Request:
    lines = [*JSON_LINES, ("Content-Encoding", "gzip")]
    return site.request("POST", site.body_path, lines, body=body, plain=False)


def _drive(stage: Stage) -> None:
    site = stage.site
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    stage.ask("small", small_body(site))
    stage.ask("small in gzip", _gzipped(site, packer.compress(_SMALL) + packer.flush()))
    stage.ask("no gzip", _gzipped(site, _GARBAGE))
    before = stage.memory()
    pending = stage.begin("bomb", _gzipped(site, _bomb(_unpacked(site))))
    most = before or 0
    while pending.alive():
        most = max(most, stage.memory() or 0)
        stage.pause(_LOOK)
    pending.reply()
    if before is not None:
        stage.note("grown", float(max(most, stage.memory() or 0) - before))


def _judge(seen: Seen) -> Iterator[Finding]:
    bomb, size = seen.reply("bomb"), _unpacked(seen.site)
    grown = seen.facts.get("grown")
    if isinstance(grown, float) and grown > size / 2:
        message = (
            f"a body of {len(_bomb(size))} bytes makes the app {grown / 1e6:.0f} MB larger, as it unpacks"
        )
        yield seen.finding("bomb", message)
        return
    if bomb.status == 413:
        return
    small = require_route(seen)
    packed, garbage = seen.reply("small in gzip"), seen.reply("no gzip")
    unpacks = packed.status == small.status != garbage.status
    if packed.status == small.status == garbage.status:
        raise Unjudged(f"POST {seen.site.body_path} answers alike whatever the body is")
    if not unpacks:
        return
    if (bomb.status or 0) >= 500 and bomb.status != 503:
        yield seen.finding("bomb", f"a body that unpacks to {size} bytes is answered with {bomb.status}")
    elif bomb.failure in {"timeout", "closed", "reset"}:
        message = f"a body that unpacks to {size} bytes gets no reply"
        yield seen.finding("bomb", message, confidence=Confidence.LIKELY)
    elif bomb.status == small.status:
        yield seen.finding("bomb", f"a body that unpacks to {size} bytes, over the bound, is taken")


CHECKS: Final = (
    Check(
        id="R5",
        title="A body that unpacks to more than the bound is refused",
        severity=Severity.MEDIUM,
        layers=("REQUEST_LIMITS",),
        cwe=409,
        reference="RFC 9110 section 8.4; OWASP API4:2023",
        fix="count the bytes of a compressed body as they are unpacked, a piece at a time, and answer 413 at "
        "the bound; or refuse Content-Encoding with 415",
        garrison="on by default: GARRISON_REQUEST_LIMITS_MAX_BODY bounds gzip and deflate as they unpack",
        why="Sixty kilobytes of gzip hold sixty megabytes of the same letter. An app that unpacks a body "
        "before it looks at its size has a bound for what is sent and none for what it keeps; a few such "
        "requests end the process.",
        how="A small JSON body is sent plain, in gzip, and as garbage that claims to be gzip, which shows "
        "whether the route unpacks at all. Then comes a gzip body that unpacks to four times the declared "
        "bound, 64 MB at least. A finding is that the app takes it, fails on it, or, where it was started "
        "here, grows by half of that size.",
        drive=_drive,
        judge=_judge,
        alone=True,
    ),
)
