"""A WSGI app that makes up its mind about a reply, in each of the ways that PEP 3333 has, by path."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TEXT = [("Content-Type", "text/plain")]


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """One reply, or the attempt at one."""
    return WAYS[environ["PATH_INFO"]](start_response)


def fail() -> None:
    """What happens to apps."""
    raise RuntimeError("no database")


def fails_at_first(start_response: Any) -> Iterator[bytes]:
    """A stream whose first piece cannot be had."""
    start_response("200 OK", TEXT)
    yield b""
    fail()


def fails_later(start_response: Any) -> Iterator[bytes]:
    """A stream whose second piece cannot be had."""
    start_response("200 OK", TEXT)
    yield b"some"
    fail()


def instead(start_response: Any) -> Iterable[bytes]:
    """Another reply, while nothing of the first is sent."""
    start_response("200 OK", [*TEXT, ("X-First", "1")])
    try:
        fail()
    except RuntimeError:
        start_response("503 Later", [*TEXT, ("Content-Length", "5")], sys.exc_info())
    return [b"later"]


def instead_too_late(start_response: Any) -> Iterator[bytes]:
    """Another reply, when the first has begun."""
    start_response("200 OK", TEXT)
    yield b"some"
    try:
        fail()
    except RuntimeError:
        start_response("503 Later", TEXT, sys.exc_info())
    yield b"more"


def twice(start_response: Any) -> Iterable[bytes]:
    """Two replies without a reason for the second."""
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"which?"]


def never(_: Any) -> Iterable[bytes]:
    """A body without a head."""
    return [b"what?"]


def written(start_response: Any) -> Iterable[bytes]:
    """A body in the old way, and then the rest of it."""
    write = start_response("201 Created", [*TEXT, ("Content-Length", "3")])
    write(b"a")
    write(b"b")
    return [b"c"]


def empty(start_response: Any) -> Iterable[bytes]:
    """A head alone."""
    start_response("204 No Content", [])
    return []


def stops(_: Any) -> Iterable[bytes]:
    """What `next()` raises where there is nothing."""
    raise StopIteration


WAYS = {
    "/fails-at-first": fails_at_first,
    "/fails-later": fails_later,
    "/instead": instead,
    "/instead-too-late": instead_too_late,
    "/twice": twice,
    "/never": never,
    "/written": written,
    "/empty": empty,
    "/stops": stops,
}
