"""Reads Set-Cookie as a browser does (RFC 6265bis section 5.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from garrison_harness.exchange import Exchange
from garrison_harness.http_date import http_date

if TYPE_CHECKING:
    from collections.abc import Sequence

# Neither `assessment`, `possess` nor `obsess`; `sid` is what Express and others call theirs.
_SESSION: Final = re.compile(r"session|(?<!as)(?<!pos)(?<!ob)sess|(?:^|[^a-z0-9])sid$", re.IGNORECASE)
_CREDENTIAL: Final = re.compile(r"auth|bearer|identity|jwt|log_?in|passw|remember|token", re.IGNORECASE)
# Scripts have to read these, in order to send them back in a header.
_CSRF: Final = re.compile(r"csrf|xsrf|antiforgery|(?:^|[^a-z])state|nonce", re.IGNORECASE)
_FEWEST_LETTERS: Final = 8  # a shorter value can be guessed, so that it opens nothing
_FEWEST_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A cookie as an app sets it.

    Attributes:
        name: Empty where it has none.
        value: What it holds.
        attributes: By their names in lower case; the last of several counts.
        exchange: The exchange that sets it.
    """

    name: str
    value: str
    attributes: Mapping[str, str]
    exchange: Exchange

    @property
    def deletes(self) -> bool:
        """Whether it ends at once, so that there is nothing to protect."""
        age = self.attributes.get("max-age", "")
        if re.fullmatch(r"-?\d+", age):
            return age.startswith("-") or not age.strip("0")
        ends = http_date(self.attributes.get("expires", ""))
        return ends is not None and ends <= datetime.now(UTC)

    @property
    def is_session(self) -> bool:
        """Whether its name is one that sessions have."""
        return bool(_SESSION.search(self.name)) and not _CSRF.search(self.name)

    @property
    def is_credential(self) -> bool:
        """Whether it may be a session, or something else that opens doors."""
        named = self.is_session or (_CREDENTIAL.search(self.name) and not _CSRF.search(self.name))
        # A number may be a time or a count.
        return bool(named) and len(self.value) >= (
            _FEWEST_DIGITS if self.value.isdigit() else _FEWEST_LETTERS
        )

    @property
    def rules(self) -> frozenset[str]:
        """The attributes without the times, by which two cookies of one name are alike."""
        return frozenset(
            f"{name}={value}" for name, value in self.attributes.items() if name not in {"expires", "max-age"}
        )


def cookies(exchanges: Sequence[Exchange]) -> list[Cookie]:
    """The cookies that are set, each once with the same attributes.

    Args:
        exchanges: Whose replies to look at.
    """
    found: dict[tuple[str, frozenset[str], bool], Cookie] = {}
    for exchange in exchanges:
        for line in exchange.reply.all("set-cookie"):
            cookie = _read(line, exchange)
            found.setdefault((cookie.name, cookie.rules, cookie.deletes), cookie)
    return list(found.values())


def _read(line: str, exchange: Exchange) -> Cookie:
    pair, *attributes = line.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    return Cookie(
        name=name.strip(),
        value=value.strip(),
        attributes={
            key.strip().lower(): text.strip()
            for key, _, text in (attribute.partition("=") for attribute in attributes)
        },
        exchange=exchange,
    )
