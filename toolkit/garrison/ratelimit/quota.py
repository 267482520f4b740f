"""Quotas, and what a store decides about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, TypeAlias

import limits

from garrison.rules import NotationError

Algorithm: TypeAlias = Literal["token-bucket", "sliding-window", "fixed-window"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many units in so much time.

    Attributes:
        name: how headers and problems call it, such as `100-per-minute`.
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

    async def reset(self, key: str) -> bool:
        """Forget what a key has used of all its quotas.

        Args:
            key: who is forgiven.

        Returns:
            Whether there was anything to forget.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections; to be called once, when nothing is decided any more."""
        ...


def parse_quotas(text: str, algorithm: Algorithm = "token-bucket") -> tuple[Quota, ...]:
    """Read quotas in the notation of `limits`, such as `100/minute` or `5 per 10 seconds`.

    Args:
        text: any number of quotas, parted by `;` or `|`.
        algorithm: how each of them is counted.

    Raises:
        NotationError: the notation is wrong or a limit is 0.
    """
    try:
        items = limits.parse_many(text)
    except ValueError:
        items = []
    if not items or any(item.amount < 1 or item.get_expiry() < 1 for item in items):
        raise NotationError("a quota such as 100/minute or 5 per 10 seconds", text)
    return tuple(
        Quota(name=_name(item), limit=item.amount, period=float(item.get_expiry()), algorithm=algorithm)
        for item in items
    )


def _name(item: limits.RateLimitItem) -> str:
    unit = item.GRANULARITY.name
    return (
        f"{item.amount}-per-{unit}" if item.multiples == 1 else f"{item.amount}-per-{item.multiples}-{unit}s"
    )
