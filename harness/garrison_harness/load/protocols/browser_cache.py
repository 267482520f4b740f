"""What a browser keeps of replies, and with which headers it asks again (RFC 9111)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from garrison_harness.load.protocols.pages import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 500
"""Replies that are kept."""

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")


@dataclass(slots=True, kw_only=True)
class Kept:
    """One reply.

    Attributes:
        validators: The headers of a conditional request; empty where the reply named nothing to go by.
        fresh_until: Until when nobody has to ask again, by the clock that `Cache.keep` was given.
        page: What the reply refers to.
    """

    validators: dict[str, str]
    fresh_until: float
    page: Page = field(default_factory=Page)


class Cache:
    """The private cache of one user."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def get(self, path: str) -> Kept | None:
        """What is kept of a path."""
        return self._kept.get(path)

    def keep(self, path: str, headers: Mapping[str, str], now: float, page: Page) -> None:
        """Keep a reply of 200, if it may be kept.

        Args:
            path: What was asked for.
            headers: Of the reply, by names in lower case.
            now: The time, in seconds.
            page: What it refers to.
        """
        control = (headers.get("cache-control") or "").lower()
        self._kept.pop(path, None)
        if "no-store" in control:
            return
        validators = {}
        if tag := headers.get("etag"):
            validators["If-None-Match"] = tag
        if date := headers.get("last-modified"):
            validators["If-Modified-Since"] = date
        if len(self._kept) >= MOST:
            del self._kept[next(iter(self._kept))]
        fresh = now + _lifetime(control)
        self._kept[path] = Kept(validators=validators, fresh_until=fresh, page=page)

    def confirm(self, path: str, headers: Mapping[str, str], now: float) -> None:
        """Take a reply of 304: what is kept is as fresh as that says.

        Args:
            path: What was asked for.
            headers: Of the reply, by names in lower case.
            now: The time, in seconds.
        """
        kept = self._kept.get(path)
        if kept is not None:
            kept.fresh_until = now + _lifetime((headers.get("cache-control") or "").lower())


def _lifetime(control: str) -> float:
    """How long a reply stays fresh, in seconds; what says nothing is asked for again."""
    if "no-cache" in control:
        return 0.0
    match = _MAX_AGE.search(control)
    return float(match[1]) if match else 0.0
