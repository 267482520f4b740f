"""Keeps the cookies that replies set, as far as a login needs it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from garrison_harness.http_date import http_date

if TYPE_CHECKING:
    from collections.abc import Iterable


class CookieJar:
    """Cookies of one site by name, whatever their path."""

    def __init__(self) -> None:
        """Begin without any."""
        self.values: dict[str, str] = {}

    def take(self, lines: Iterable[str]) -> None:
        """Keep what `Set-Cookie` lines set, and drop what they end (RFC 6265 section 5.2).

        Args:
            lines: Their values.
        """
        for line in lines:
            first, *attributes = line.split(";")
            name, equals, value = first.partition("=")
            name, value = name.strip(), value.strip()
            if not equals or not name:
                continue
            if _is_over(attributes):
                self.values.pop(name, None)
            else:
                self.values[name] = value

    def line(self) -> str:
        """What a `Cookie` header holds; empty where there is nothing to send."""
        return "; ".join(f"{name}={value}" for name, value in self.values.items())


def _is_over(attributes: Iterable[str]) -> bool:
    """Whether a cookie is set to end it: Max-Age wins over Expires."""
    said = {name.strip().lower(): value.strip() for name, _, value in (a.partition("=") for a in attributes)}
    age = said.get("max-age", "")
    if re.fullmatch(r"-?\d+", age):
        return age.startswith("-") or not age.strip("0")
    expires = http_date(said.get("expires", ""))
    return expires is not None and expires <= datetime.now(UTC)
