"""One process's part of quotas that several share, for when it has to count alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.quota import Part, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.ratelimit.quota import Decision, Quota

# Sets of quotas are few unless a callable makes them; then the oldest ones are divided again.
SETS: Final = 1024


class Shares:
    """Divides quotas by the number of processes, and tells decisions about parts as ones about the whole.

    Args:
        workers: how many processes there are. Each has at least one unit of every quota, and a request that
            costs more than its part costs all of it.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        # By identity, as in a store; what is divided is kept, or another one could get its identity.
        self._known: dict[int, tuple[tuple[Quota, ...], tuple[Quota, ...]]] = {}

    def divided(self, quotas: tuple[Quota, ...]) -> tuple[Quota, ...]:
        """The part of some quotas."""
        if self._workers == 1:
            return quotas
        known = self._known.get(id(quotas))
        if known is None:
            shares = tuple(replace(quota, limit=max(1, quota.limit // self._workers)) for quota in quotas)
            if len(self._known) >= SETS:
                self._known.pop(next(iter(self._known)))
            self._known[id(quotas)] = known = shares, quotas
        return known[0]

    def of(self, parts: Sequence[Part]) -> list[Part]:
        """What a request asks for where only a part is there to be asked for."""
        return [self._of(part) for part in parts]

    def as_asked(self, decision: Decision, parts: Sequence[Part]) -> Decision:
        """A decision about shares, told about the quotas that were asked for.

        Args:
            decision: about what `of` gave.
            parts: what it was given.
        """
        quotas = tuple(chain.from_iterable(part.quotas for part in parts))
        if decision.standings and decision.standings[0].quota is quotas[0]:
            return decision
        whole = {standing.quota: quota for standing, quota in zip(decision.standings, quotas, strict=True)}
        return decision._replace(
            refused_by=tuple(whole[share] for share in decision.refused_by),
            standings=tuple(
                Standing(quota, standing.remaining, standing.more_after, standing.reset_after)
                for standing, quota in zip(decision.standings, quotas, strict=True)
            ),
        )

    def _of(self, part: Part) -> Part:
        key, quotas, cost = part
        divided = self.divided(quotas)
        # A cost that no quota as a whole would bear is not made bearable.
        if all(cost <= quota.limit for quota in quotas):
            cost = min(cost, *(share.limit for share in divided))
        return Part(key, divided, cost)
