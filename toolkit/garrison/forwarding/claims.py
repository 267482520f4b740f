"""What somebody who is not believed says, where it matters that he says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# By header name; a word in the wrong place is a claim as well, since nothing is believed of it.
SCHEMES: Final = (b"https", b"wss")
HTTPS: Final = {
    b"x-forwarded-proto": SCHEMES,
    b"x-forwarded-protocol": SCHEMES,
    b"x-forwarded-scheme": SCHEMES,
    b"x-forwarded-ssl": (b"on",),
    b"forwarded": (b"proto=https", b'proto="https"', b"proto=wss", b'proto="wss"'),
}


def claims_https(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether forwarding headers say that the client came over https.

    Args:
        headers: a request's raw header lines, their names in lower case.
    """
    for name, value in headers:
        for claim in HTTPS.get(name, ()):
            if claim in value.lower():
                return True
    return False
