"""Which users share a load: `browser=3,api=1,websocket:/ws=1`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

USERS: Final[Mapping[str, str]] = {
    "browser": "opens pages with all that belongs to them, in a session with cookies and a cache",
    "api": "asks for what the OpenAPI document or --requests lists, else for one path",
    "patient": "asks more than a quota allows, and waits as long as Retry-After says",
    "impatient": "asks more than a quota allows, and does not care",
    "slow": "sends heads and bodies, and reads replies, a little at a time",
    "malformed": "sends requests that break the grammar of HTTP",
    "websocket": "opens a WebSocket, pings, and closes it",
}
"""What ships, and what it does."""

_SHARE: Final = re.compile(r"([^:=]*)(?::(/[^,]*?))?(?:=([^=,]*))?")
_PATH: Final = re.compile(r"/(?!/)[!-\"$-~]*")
_MOST_WEIGHT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One kind of user in a mix.

    Attributes:
        user: Its name, a key of `USERS`.
        path: Where it goes, with a query where it has one; empty for its own choice.
        weight: How many of them there are, compared with the others.
    """

    user: str
    path: str = ""
    weight: int = 1


def parse_mix(text: str) -> tuple[Share, ...]:
    """Read `NAME[:PATH][=WEIGHT]`, separated by commas.

    Raises:
        ValueError: It cannot be read; the message is one line for its author.
    """
    shares = tuple(map(_share, text.split(",")))
    places = [(share.user, share.path) for share in shares]
    for place in places:
        if places.count(place) > 1:
            raise ValueError(f"{place[0]} is there twice: give one weight, or each its own path")
    return shares


def _share(text: str) -> Share:
    match = _SHARE.fullmatch(text.strip())
    name = match[1].strip() if match else text
    if match is None or not name:
        raise ValueError(f"expected NAME=WEIGHT or NAME:/PATH=WEIGHT, found {text.strip()!r}")
    if name not in USERS:
        close = difflib.get_close_matches(name.lower(), USERS, n=1)
        hint = f": did you mean {close[0]}?" if close else ""
        raise ValueError(f"there is no user {name!r}{hint}; there are {', '.join(USERS)}")
    path, weight = match[2] or "", match[3]
    if path and not _PATH.fullmatch(path):
        raise ValueError(f"expected a path such as /items?page=2, percent-encoded, found {path!r}")
    return Share(user=name, path=path, weight=1 if weight is None else _weight(name, weight.strip()))


def _weight(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_WEIGHT:
        raise ValueError(f"expected a whole number from 1 to {_MOST_WEIGHT} for {name}, found {text!r}")
    return int(text)
