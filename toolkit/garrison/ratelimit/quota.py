"""Quotas, and what a store decides about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import limits

from garrison.rules import NotationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """So many units in so much time.

    Attributes:
        name: how headers and problems call it, such as `100-per-minute`.
        limit: units, at least 1.
        period: seconds.
        step: seconds that one unit takes to come back.
    """

    name: str
    limit: int
    period: float
    step: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", self.period / self.limit)


class Standing(NamedTuple):
    """Where a client stands with one quota; a tuple, because one is made for every request.

    Attributes:
        quota: the quota.
        remaining: units left now.
        more_after: seconds until there is more than `remaining`; 0 where the quota is untouched.
    """

    quota: Quota
    remaining: int
    more_after: float


class Decision(NamedTuple):
    """What a store says about one request; a tuple, because one is made for every request.

    Attributes:
        allowed: whether every quota has room; if not, nothing was consumed.
        refused_by: the quotas without room.
        retry_after: seconds after which the same request would be allowed; 0 if it is.
        standings: one for each quota, in their order.
    """

    allowed: bool
    refused_by: tuple[Quota, ...]
    retry_after: float
    standings: tuple[Standing, ...]


class Store(Protocol):
    """Keeps count for every client."""

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Take `cost` units from every quota of the key, or from none of them.

        Args:
            key: who asks; one key has the same quotas every time.
            quotas: at least one.
            cost: units, at least 1.
        """
        ...


def parse_quotas(text: str) -> tuple[Quota, ...]:
    """Read quotas in the notation of `limits`, such as `100/minute` or `5 per 10 seconds`.

    Args:
        text: any number of quotas, parted by `;` or `|`.

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
        Quota(name=_name(item), limit=item.amount, period=float(item.get_expiry())) for item in items
    )


def _name(item: limits.RateLimitItem) -> str:
    unit = item.GRANULARITY.name
    return (
        f"{item.amount}-per-{unit}" if item.multiples == 1 else f"{item.amount}-per-{item.multiples}-{unit}s"
    )
