"""Decides about requests: with the store, what this process knows by itself, and penalties."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from garrison.ratelimit.outcomes import Outcomes
from garrison.ratelimit.penalties import blocked_key
from garrison.ratelimit.quota import Decision, Part
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.events import EventLog
    from garrison.ratelimit.penalties import Penalties
    from garrison.ratelimit.quota import Quota, Standing, Store
    from garrison.ratelimit.refusals import Refusals


class Ruling(NamedTuple):
    """What is to become of a request, and what its client is told.

    Attributes:
        allowed: whether it is served.
        parts: what it took, or what was looked at for a refusal.
        standings: one for each quota of the parts, in their order; empty where nothing is known.
        refused_by: the quotas that had no room.
        retry_after: seconds after which it would be allowed.
        blocked: whether it is refused because the client went on after other refusals.
    """

    allowed: bool
    parts: tuple[Part, ...]
    standings: tuple[Standing, ...] = ()
    refused_by: tuple[Quota, ...] = ()
    retry_after: float = 0.0
    blocked: bool = False

    def and_also(self, other: Ruling) -> Ruling:
        """This ruling and another one about the same request."""
        return Ruling(
            self.allowed and other.allowed,
            self.parts + other.parts,
            self.standings + other.standings,
            self.refused_by + other.refused_by,
            max(self.retry_after, other.retry_after),
            self.blocked or other.blocked,
        )


class Limiter:
    """Decides for one layer.

    Args:
        store: keeps the counts.
        refusals: what this process remembers of a shared store's refusals; None where the store is in the
            process.
        penalties: blocks clients that go on after refusals; None for no blocks.
        log: where the event `rate_limit_block` goes.

    Attributes:
        store: the same.
        outcomes: for metrics.
    """

    def __init__(
        self,
        store: Store,
        *,
        refusals: Refusals | None = None,
        penalties: Penalties | None = None,
        log: EventLog | None = None,
    ) -> None:
        self.store = store
        self.outcomes = Outcomes()
        self._refusals = refusals
        self._penalties = penalties
        self._log = log

    async def decide(self, parts: tuple[Part, ...], penal: Sequence[Part] = ()) -> Ruling:
        """Take what every part asks for, or nothing.

        Args:
            parts: at least one.
            penal: those of them whose key is blocked if the client goes on after refusals.

        Raises:
            StoreUnavailableError: nothing is known.
        """
        penalties = self._penalties
        ruling = self._remembered(parts)
        if ruling is None:
            # Penalties without a count are false.
            looks = [
                Part(blocked_key(part.key), penalties.block, 0) for part in penal if penalties is not None
            ]
            ruling = await self._ask(parts, looks)
        if not ruling.allowed and not ruling.blocked and penalties is not None:
            ruling = await self._strike(ruling, penal, penalties)
        return ruling

    def count(self, ruling: Ruling) -> None:
        """Note what became of a request; once for each, however many rulings it took."""
        if ruling.allowed:
            self.outcomes.allowed += 1
        elif ruling.blocked:
            self.outcomes.blocked += 1
        else:
            self.outcomes.refused += 1

    async def refund(self, parts: Sequence[Part]) -> None:
        """Give back what a ruling took; what the store cannot take back now is lost."""
        for part in parts:
            if part.cost > 0:
                with suppress(StoreUnavailableError):
                    await self.store.refund(part.key, part.quotas, part.cost)
                if self._refusals is not None:
                    self._refusals.forget(part.key)

    async def look(self, parts: Sequence[Part]) -> tuple[Standing, ...]:
        """Where the keys of some parts stand now.

        Raises:
            StoreUnavailableError: nothing is known.
        """
        found: list[Standing] = []
        for part in parts:
            found += (await self.store.standing(part.key, part.quotas)).standings
        return tuple(found)

    def _remembered(self, parts: tuple[Part, ...]) -> Ruling | None:
        """A refusal that still holds, without asking the store."""
        if self._refusals is None:
            return None
        for part in parts:
            kept = self._refusals.find(part.key, part.cost)
            if kept is not None:
                told = (part,) if kept.standings else ()
                blocked = self._is_block(kept.refused_by)
                refused_by = part.quotas if blocked else kept.refused_by
                return Ruling(False, told, kept.standings, refused_by, kept.retry_after, blocked)  # noqa: FBT003
        return None

    async def _ask(self, parts: tuple[Part, ...], looks: Sequence[Part]) -> Ruling:
        if len(parts) == 1 and not looks and parts[0].cost > 0:
            decision = await self.store.acquire(*parts[0])
        else:
            decision = await self.store.acquire_all([*parts, *looks])
        if decision.allowed:
            count = sum(len(part.quotas) for part in parts)
            return Ruling(True, parts, decision.standings[:count])  # noqa: FBT003
        if looks and self._is_block(decision.refused_by):
            return self._blocked(parts, looks, decision)
        self._note(parts, decision)
        count = sum(len(part.quotas) for part in parts)
        return Ruling(False, parts, decision.standings[:count], decision.refused_by, decision.retry_after)  # noqa: FBT003

    def _is_block(self, quotas: Sequence[Quota]) -> bool:
        penalties = self._penalties
        return penalties is not None and penalties.block[0] in quotas

    def _blocked(self, parts: tuple[Part, ...], looks: Sequence[Part], decision: Decision) -> Ruling:
        """A refusal by a block; what the quotas behind it have left says nothing, but how long they take."""
        count = sum(len(part.quotas) for part in parts)
        behind = Ruling(False, parts, decision.standings[:count], decision.refused_by, decision.retry_after)  # noqa: FBT003
        waits = [standing.more_after for standing in decision.standings[count:]]
        for look, wait in zip(looks, waits, strict=True):
            for part in parts:
                if wait and blocked_key(part.key) == look.key:
                    self._remember_block(part, wait, behind)
        quotas = tuple(quota for part in parts for quota in part.quotas)
        return Ruling(False, (), (), quotas, decision.retry_after, True)  # noqa: FBT003

    def _note(self, parts: tuple[Part, ...], decision: Decision) -> None:
        """Remember what was refused, each key by itself: another request may share one of them only."""
        if self._refusals is None:
            return
        place = 0
        for part in parts:
            standings = decision.standings[place : place + len(part.quotas)]
            place += len(part.quotas)
            refused_by = tuple(quota for quota in part.quotas if quota in decision.refused_by)
            # A look says nothing of those who take.
            if not refused_by or not part.cost or (len(parts) > 1 and part.cost > 1):
                continue
            wait = decision.retry_after
            if len(parts) > 1:
                # For one unit of this part alone.
                wait = max(each.more_after for each in standings if each.quota in refused_by)
            kept = Decision(allowed=False, refused_by=refused_by, retry_after=wait, standings=standings)
            self._refusals.note(part.key, part.cost, kept)

    async def _strike(self, ruling: Ruling, penal: Sequence[Part], penalties: Penalties) -> Ruling:
        """Count a refusal, and begin a block where there were too many."""
        for part in penal:
            # Not by identity: a store may tell of the same quota of another target.
            hit = any(quota in ruling.refused_by for quota in part.quotas)
            if not hit or not penalties.strike(part.key, ruling.retry_after):
                continue
            try:
                taken = await self.store.acquire(blocked_key(part.key), penalties.block)
            except StoreUnavailableError:
                return ruling
            if not taken.standings:
                return ruling
            wait = taken.standings[0].more_after
            self._remember_block(part, wait, ruling)
            if self._log is not None:
                fields = {"key": part.key, "seconds": round(wait, 3)}
                self._log.emit("warning", "rate_limit_block", fields)
            longest = max(wait, ruling.retry_after)
            return Ruling(False, (), (), ruling.refused_by, longest, True)  # noqa: FBT003
        return ruling

    def _remember_block(self, part: Part, wait: float, behind: Ruling) -> None:
        """Hold a block, with what the quotas behind it take where that is longer."""
        if self._refusals is None or self._penalties is None:
            return
        longest = max(wait, _wait_of(part, behind))
        kept = Decision(allowed=False, refused_by=self._penalties.block, retry_after=longest, standings=())
        # The block itself holds whatever a request costs.
        self._refusals.note(part.key, 0 if longest == wait else part.cost, kept)


def _wait_of(part: Part, refusal: Ruling) -> float:
    """For how many seconds the quotas of one part refuse it; 0 where they do not."""
    place = 0
    for each in refusal.parts:
        standings = refusal.standings[place : place + len(each.quotas)]
        place += len(each.quotas)
        if each.key == part.key:
            waits = [standing.more_after for standing in standings if standing.quota in refusal.refused_by]
            # How long several units take is known of all parts together only.
            return max(waits, default=0.0) if part.cost == 1 or not waits else refusal.retry_after
    return refusal.retry_after
