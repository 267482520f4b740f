"""The names of headers that only proxies may send, and of those that can be taken for them."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# Whatever tells an app where a request comes from; none of it is a client's to say.
FAMILIES: Final = {
    "forwarded": frozenset({b"forwarded"}),
    "x-forwarded": frozenset(
        {
            b"x-forwarded-for",
            b"x-forwarded-host",
            b"x-forwarded-port",
            b"x-forwarded-prefix",
            b"x-forwarded-proto",
            b"x-forwarded-protocol",
            b"x-forwarded-scheme",
            b"x-forwarded-server",
            b"x-forwarded-ssl",
            b"x-real-ip",
        }
    ),
}
# What the proxies of one maker say, of no family; with the second line some frameworks choose a route.
OF_MAKERS: Final = frozenset(
    {
        b"cf-connecting-ip", b"fastly-client-ip", b"true-client-ip", b"x-client-ip", b"x-cluster-client-ip",
        b"x-original-url", b"x-rewrite-url",
    }
)  # fmt: skip
FORWARDING: Final = FAMILIES["forwarded"] | FAMILIES["x-forwarded"] | OF_MAKERS

# Every dash doubles the ways to write a name.
MOST_DASHES: Final = 10

# RFC 9110 section 5.6.2, and the headers that make a message or a connection what it is.
TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
FRAMING: Final = frozenset(
    {
        "connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding",
        "upgrade",
    }
)  # fmt: skip


def is_guardable(name: str) -> bool:
    """Whether a header of this name can be taken from a request that is otherwise left as it is.

    Args:
        name: in any case.
    """
    fits = TOKEN.fullmatch(name) is not None and name.lower().replace("_", "-") not in FRAMING
    return fits and sum(map(name.count, "-_")) <= MOST_DASHES


def spellings(names: Iterable[bytes]) -> frozenset[bytes]:
    """These names, and those that are the same to an app that reads `_` for `-` (RFC 3875 section 4.1.18).

    Args:
        names: in lower case, with `MOST_DASHES` dashes and underscores at most.
    """
    return frozenset(
        b"".join(letters)
        for name in names
        for letters in product(*((b"-", b"_") if byte in b"-_" else (bytes([byte]),) for byte in name))
    )
