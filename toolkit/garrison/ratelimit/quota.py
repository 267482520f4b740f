"""Quotas, and what a store decides about them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

from garrison.rules import NotationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from limits import RateLimitItem

Algorithm: TypeAlias = Literal["token-bucket", "sliding-window", "fixed-window"]

# As in `limits`.
SEPARATORS: Final = re.compile("[;|,]")
# What `limits` reads as one.
NO_TIME: Final = re.compile(r"\D0+\s*[a-z]", re.IGNORECASE)
# What a quota is called in a header is an sf-string (RFC 9651 section 3.3.3), and part of keys, which are
# words with blanks in between.
NAME: Final = re.compile("[A-Za-z0-9._-]{1,64}")
# The largest sf-integer (RFC 9651 section 3.3.1); a limit is told in headers.
MOST: Final = 999_999_999_999_999
# Seconds of a hundred years, of which a server whose numbers are doubles still counts every microsecond.
LONGEST: Final = 100 * 31_104_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many units in so much time.

    Attributes:
        name: how headers and problems call it, such as `100-per-minute`; see `NAME`.
        limit: units, at least 1.
        period: seconds, at least 1.
        algorithm: how it is counted. A `token-bucket` holds `limit` units and fills evenly. A
            `fixed-window` begins at the first hit and ends after `period`. A `sliding-window` is such a
            window that also counts the one before it, by the part of it that lies within the last `period`.
        step: seconds that one unit of a token bucket takes to come back.
    """

    name: str
    limit: int
    period: float
    algorithm: Algorithm = "token-bucket"
    step: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", self.period / self.limit)


class Standing(NamedTuple):
    """Where a client stands with one quota; a tuple, because one is made for every request.

    Attributes:
        quota: the quota.
        remaining: whole units left now.
        more_after: seconds until there is more than `remaining`; 0 where the quota is untouched.
        reset_after: seconds until the quota is untouched again; 0 where it is.
    """

    quota: Quota
    remaining: int
    more_after: float
    reset_after: float


class Decision(NamedTuple):
    """What a store says about one request; a tuple, because one is made for every request.

    Attributes:
        allowed: whether every quota has room; if not, nothing was consumed.
        refused_by: the quotas without room.
        retry_after: seconds after which the same request, at the same cost, would be allowed if no other
            came before it; 0 if it is. A cost above a limit is never allowed: it is the quota's period then.
        standings: one for each quota, in their order, after what was taken.
    """

    allowed: bool
    refused_by: tuple[Quota, ...]
    retry_after: float
    standings: tuple[Standing, ...]


class Part(NamedTuple):
    """What one request asks of one key; a request can be about several, each with its own quotas.

    Attributes:
        key: who asks.
        quotas: at least one.
        cost: units; 0 takes nothing, and there must be room for 1.
    """

    key: str
    quotas: tuple[Quota, ...]
    cost: int = 1


def joined(decisions: Sequence[Decision]) -> Decision:
    """One decision about all parts of a request, from one about each.

    Args:
        decisions: at least one; where any of them refuses, none took anything.
    """
    refused_by: tuple[Quota, ...] = ()
    retry_after = 0.0
    standings: tuple[Standing, ...] = ()
    for decision in decisions:
        standings += decision.standings
        if not decision.allowed:
            refused_by += decision.refused_by
            retry_after = max(retry_after, decision.retry_after)
    return Decision(not refused_by, refused_by, retry_after, standings)


class Store(Protocol):
    """Keeps count for every client.

    One key has the same quotas every time: what is asked for with other quotas is another key. Costs are
    units, at least 1.
    """

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Take `cost` units from every quota of the key, or from none of them.

        Args:
            key: who asks.
            quotas: at least one.
            cost: units.

        Raises:
            ValueError: the cost is below 1.
        """
        ...

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """Take what every part asks for, or nothing at all.

        Args:
            parts: at least one, each with a key of its own.

        Returns:
            One decision about all of them, with the standings of all quotas in their order.

        Raises:
            ValueError: a cost is below 0.
        """
        ...

    async def refund(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> None:
        """Give back what was acquired, as far as the quotas have not recovered from it already.

        A window that has ended keeps nothing to give back; a sliding window gives the units of the current
        window first.

        Args:
            key: whose units.
            quotas: those that they were taken from.
            cost: units.

        Raises:
            ValueError: the cost is below 1.
        """
        ...

    async def standing(self, key: str, quotas: tuple[Quota, ...]) -> Decision:
        """What a request at a cost of 1 would be told, without taking anything.

        The standings are those of now, before such a request.

        Args:
            key: who is looked at.
            quotas: at least one.
        """
        ...

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:
        """Forget what a key has used of its quotas.

        Args:
            key: who is forgiven.
            quotas: those of the key.

        Returns:
            Whether there was anything to forget.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections; to be called once, when nothing is decided any more."""
        ...


def parse_quotas(text: str, algorithm: Algorithm = "token-bucket") -> tuple[Quota, ...]:
    """Read quotas in the notation of `limits`, such as `100/minute; 5 per 10 seconds as burst`.

    Args:
        text: any number of quotas, parted by `;` (or `|` or `,`), each with ` as NAME` behind it where it is
            to have another name than `100-per-minute`.
        algorithm: how each of them is counted.

    Raises:
        NotationError: the notation is wrong, a limit is 0, a number is too large, or a name comes twice.
    """
    quotas = tuple(_quota(part, algorithm) for part in SEPARATORS.split(text))
    names = set()
    for quota in quotas:
        if quota.name in names:
            raise NotationError("each name once, such as '100/minute as burst'", f"{quota.name} twice")
        names.add(quota.name)
    return quotas


def _quota(text: str, algorithm: Algorithm) -> Quota:
    from limits import parse  # noqa: PLC0415 - takes longer than most layers, and only quotas need it

    notation, named, name = text.partition(" as ")
    try:
        item = parse(notation)
    except ValueError:
        raise NotationError("a quota such as 100/minute or 5 per 10 seconds", text.strip()) from None
    period = item.get_expiry()
    if not 1 <= item.amount <= MOST or period > LONGEST or NO_TIME.search(notation):
        expected = f"a quota such as 100/minute, of 1 to {MOST} in at most 100 years"
        raise NotationError(expected, text.strip())
    if named and not NAME.fullmatch(name.strip()):
        raise NotationError(
            "a name of at most 64 letters, digits and any of ._- such as '100/minute as burst'",
            text.strip(),
        )
    return Quota(
        name=name.strip() or _name(item), limit=item.amount, period=float(period), algorithm=algorithm
    )


def _name(item: RateLimitItem) -> str:
    unit = item.GRANULARITY.name
    return (
        f"{item.amount}-per-{unit}" if item.multiples == 1 else f"{item.amount}-per-{item.multiples}-{unit}s"
    )
