"""Cache-Control of replies that are for one user alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from garrison.headers.set_cookie import is_session

if TYPE_CHECKING:
    from garrison.asgi import Headers

CACHE_CONTROL: Final = b"cache-control"

# What says how long anybody may keep a reply, and what says when it has changed (RFC 9111 section 5).
FRESHNESS: Final = frozenset({CACHE_CONTROL, b"expires", b"pragma"})
CACHING: Final = FRESHNESS | {b"etag", b"last-modified"}

# Caches that the site itself pays for listen to headers of their own (RFC 9213, and Edge Architecture for
# the second), and never hand them on.
TARGETED: Final = (b"cdn-cache-control", b"surrogate-control")
SHARED: Final = (b"public", b"s-maxage", b"proxy-revalidate")


def kept_private(lines: Headers) -> Headers:
    """The lines of a reply that no shared cache may keep, because what is in it is for one request.

    Args:
        lines: header lines; names in any case.
    """
    found: Headers = []
    said = False
    for name, value in lines:
        lowered = name.lower()
        if lowered.endswith(TARGETED):
            continue
        if lowered == CACHE_CONTROL:
            said = True
            found.append((name, private(value)))
        else:
            found.append((name, value))
    if not said:
        found.append((CACHE_CONTROL, b"private, no-cache"))
    return found


@lru_cache(maxsize=256)
def private(value: bytes) -> bytes:
    """A Cache-Control that keeps shared caches out; all else that it says stays."""
    directives = [part.strip() for part in value.split(b",") if part.strip()]
    kept = [part for part in directives if part.partition(b"=")[0].strip().lower() not in SHARED]
    # `private="name"` is about one header of the reply only (RFC 9111 section 5.2.2.7).
    if not {b"private", b"no-store"} & {part.lower() for part in kept}:
        kept.insert(0, b"private")
    return b", ".join(kept)


def is_authenticated(request: Headers, reply: Headers) -> bool:
    """Whether a reply is for somebody who is logged in, or about to be.

    Args:
        request: the header lines of the request.
        reply: those of its reply; names in any case.
    """
    for name, value in request:
        if name == b"authorization":
            return True
        if name == b"cookie" and any(
            is_session(pair.partition(b"=")[0].strip()) for pair in value.split(b";")
        ):
            return True
    return any(
        name.lower() == b"set-cookie" and is_session(value.partition(b"=")[0].strip())
        for name, value in reply
    )
