"""Keeps out of every report what was given away, or gained by a login, for the audit only."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison_harness.exchange import Exchange

HIDDEN: Final = "[hidden]"
"""What stands in a report for the value of a header that was given, and for what a login gave."""

_PARTS: Final = re.compile(r"[\s;,=]+")
_SHORTEST: Final = 8  # letters; a shorter part of a value is found in innocent words too
_CUT: Final = "..."  # how a line ends that was too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What no report may show.

    Attributes:
        values: The secrets, the longest first, so that none of them leaves a rest.
        cookies: Names of cookies whose value is one, whatever the app changes it to.
    """

    values: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()

    def and_more(self, values: Iterable[str], cookies: Iterable[str] = ()) -> Secrets:
        """These, and others.

        Args:
            values: Secrets.
            cookies: Names of cookies.
        """
        found = {*self.values, *filter(None, values)}
        return Secrets(
            values=tuple(sorted(found, key=lambda secret: (-len(secret), secret))),
            cookies=tuple(sorted({*self.cookies, *cookies})),
        )

    def hide(self, text: str) -> str:
        """The text without the secrets.

        Args:
            text: Of a report.
        """
        text = _without_cookies(hidden(text, self.values), self.cookies)
        if text.endswith(_CUT):
            kept = text.removesuffix(_CUT)
            for secret in self.values:
                # The beginning of a token is enough to know it by, and may say who it is of.
                for length in range(len(secret) - 1, _SHORTEST - 1, -1):
                    if kept.endswith(secret[:length]):
                        return f"{kept[:-length]}{HIDDEN}"
        return text

    def hide_exchange(self, exchange: Exchange) -> Exchange:
        """A request and its reply without the secrets, so that nothing that is made of them has one.

        Args:
            exchange: As it was recorded.
        """
        if not self.values and not self.cookies:
            return exchange
        request, reply = exchange.request, exchange.reply
        pieces = tuple(
            self._hide_bytes(piece) if isinstance(piece, bytes) else piece for piece in request.pieces
        )
        headers = tuple((name, self.hide(value)) for name, value in reply.headers)
        return replace(
            exchange,
            request=replace(request, pieces=pieces, target=self.hide(request.target)),
            reply=replace(
                reply,
                headers=headers,
                body=self._hide_bytes(reply.body),
                rest=self._hide_bytes(reply.rest),
                raw=self._hide_bytes(reply.raw),
            ),
        )

    def _hide_bytes(self, data: bytes) -> bytes:
        # Every byte is a letter of Latin-1, so that what is hidden in none stays as it is.
        for secret in self.values:
            data = data.replace(secret.encode(), HIDDEN.encode())
        return _without_cookies(hidden(data.decode("latin-1"), self.values), self.cookies).encode("latin-1")


def secrets_of(headers: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The values of headers, and the long parts of them, such as the token behind `Bearer`.

    Args:
        headers: Names and values, as they were given.
    """
    found = {value for _, value in headers if value}
    found.update(part for value in list(found) for part in _PARTS.split(value) if len(part) >= _SHORTEST)
    # The longest first, so that none of them leaves a rest.
    return tuple(sorted(found, key=lambda secret: (-len(secret), secret)))


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text without the secrets.

    Args:
        text: Of a report.
        secrets: As `secrets_of` gives them.
    """
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _without_cookies(text: str, names: Sequence[str]) -> str:
    for name in names:
        text = re.sub(rf"(?<![\w-]){re.escape(name)}=(?!\[hidden\])[^\s;,\"']+", f"{name}={HIDDEN}", text)
    return text
