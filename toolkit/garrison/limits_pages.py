"""Where a client stands with its quotas, on paper: as a page for people, and as JSON."""

from __future__ import annotations

import textwrap
from math import ceil
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from garrison.ratelimit.identity import ADDRESS, Identity
from garrison.units import Duration
from garrison.wording import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from garrison.limiting.accounts import Balance
    from garrison.ratelimit.quota import Standing

WIDTH: Final = 80


class Found(NamedTuple):
    """What was found about one client.

    Attributes:
        who: the parts of its identity, and their values.
        store: where the counts are, without a password.
        balances: one for each key.
    """

    who: Mapping[str, str]
    store: str
    balances: Sequence[Balance]

    @property
    def told(self) -> Sequence[Balance]:
        """The balances that are shown: what few ever use is there only if it was."""
        return [
            balance
            for balance in self.balances
            if balance.account.kind != "preflights" or not balance.is_untouched
        ]

    @property
    def title(self) -> str:
        """The client and the store; values that may be secrets are not repeated."""
        shown = (value if part == ADDRESS else part for part, value in self.who.items())
        return f"{' and '.join(shown)} at {self.store}"


def page(found: Found) -> str:
    """Where the client stands, for people."""
    if not found.told:
        return _filled([f"{found.title}: no quota counts."])
    return _filled([found.title, "", *_lines(found.told), *_doubt(found)])


def page_of_reset(found: Found) -> str:
    """What was forgotten about the client, for people: where it stood before."""
    if not found.balances:
        return _filled([f"{found.title}: there was nothing to forget.", *_doubt(found)])
    return _filled([f"{found.title}, forgotten:", "", *_lines(found.balances)])


def document(found: Found, name: str = "keys") -> bytes:
    """The same as JSON, with all digits.

    Args:
        found: about the client.
        name: of the list of keys.
    """
    keys = [_key(balance) for balance in found.told]
    said = {"store": found.store, "identity": "+".join(found.who), name: keys}
    return orjson.dumps(said, option=orjson.OPT_INDENT_2)


def _doubt(found: Found) -> list[str]:
    """What cannot be known where nothing is found under a hash."""
    if not Identity(tuple(found.who)).has_secrets or not all(each.is_untouched for each in found.balances):
        return []
    return ["", "Nothing is used, unless the app's GARRISON_SECRET is another one: that cannot be seen here."]


def _lines(balances: Sequence[Balance]) -> Iterator[str]:
    for balance in balances:
        account = balance.account
        of = "" if account.kind == "requests" else f"{account.kind} of "
        yield f"{of}{account.about}"
        if balance.blocked_for is not None:
            yield f"  blocked for another {_time(balance.blocked_for)}"
        for standing in balance.standings:
            yield f"  {standing.quota.name}: {_standing(standing)}"


def _standing(standing: Standing) -> str:
    left = f"{standing.remaining} of {standing.quota.limit} left"
    if not standing.reset_after:
        return left
    return f"{left}, more in {_time(standing.more_after)}, all in {_time(standing.reset_after)}"


def _time(seconds: float) -> str:
    """Whole seconds that are not too few."""
    return render(float(ceil(seconds)), Duration)


def _key(balance: Balance) -> dict[str, Any]:
    account = balance.account
    return {
        "key": account.key,
        "counts": account.kind,
        "target": account.about,
        "blocked_for": _rounded(balance.blocked_for),
        "quotas": [
            {
                "name": quota.name,
                "limit": quota.limit,
                "period": quota.period,
                "remaining": remaining,
                "more_after": _rounded(more_after),
                "reset_after": _rounded(reset_after),
            }
            for quota, remaining, more_after, reset_after in balance.standings
        ],
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _filled(lines: list[str]) -> str:
    return "\n".join(
        textwrap.fill(
            line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
        )
        for line in lines
    )  # fmt: skip
