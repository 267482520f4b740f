"""Decides about one attempt to log in: who is known goes on, who guesses does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.limiting.attempt import Attempt
from garrison.limiting.limiter import Ruling
from garrison.ratelimit.memory import MemoryStore

if TYPE_CHECKING:
    from garrison.limiting.counting import Telling
    from garrison.limiting.login_keys import LoginKeys
    from garrison.ratelimit.quota import Decision, Part, Standing, Store

# A login renews what is remembered once this part of the time has passed, and not every time.
RENEWED_AFTER: Final = 0.1


class LoginJudge:
    """Decides about attempts.

    Args:
        store: keeps the counts.
        telling: what the reply says.
        remember: seconds for which an address is known.
    """

    def __init__(self, store: Store, telling: Telling, remember: float) -> None:
        self._store = store
        # What is kept for so long would crowd out the counts of a process, and a server has other bounds.
        self._places = store.apart if isinstance(store, MemoryStore) else store
        self._telling = telling
        self._remember = remember

    async def nameless(self, attempts: Part, stuffing: Part) -> tuple[Ruling, Attempt]:
        """Take what an attempt takes that names no account.

        Args:
            attempts: of the address.
            stuffing: of the address.

        Raises:
            StoreUnavailableError: nothing is known.
        """
        return await self._take((attempts, stuffing))

    async def judge(self, keys: LoginKeys, address: str, stuffing: Part) -> tuple[Ruling, Attempt]:
        """Take what an attempt takes: in one trip for strangers, in two for others and under attack.

        Args:
            keys: of the account.
            address: that asks.
            stuffing: of the address.

        Raises:
            StoreUnavailableError: nothing is known.
        """
        attempts, failures, place = keys.attempts(address), keys.failures(), keys.known(address)
        noted = (place, keys.new())
        parts = (attempts, failures, stuffing)
        decision = await self._as_stranger(parts, place._replace(cost=0))
        if _violates(decision, place):
            old = decision.standings[-1].more_after < (1 - RENEWED_AFTER) * self._remember
            return await self._take((attempts,), (place,) if old else (), remembered=True)
        if _violates(decision, failures):
            return await self._take((keys.under_attack(address), stuffing), noted, under_attack=True)
        return self._told(parts, decision, noted)

    async def _as_stranger(self, parts: tuple[Part, ...], look: Part) -> Decision:
        """Take something, unless the account knows the address."""
        if self._places is self._store:
            return await self._store.acquire_all((*parts, look))
        seen = await self._places.acquire_all((look,))
        return await self._store.acquire_all(parts) if seen.allowed else seen

    async def _take(
        self,
        parts: tuple[Part, ...],
        noted: tuple[Part, ...] = (),
        *,
        remembered: bool = False,
        under_attack: bool = False,
    ) -> tuple[Ruling, Attempt]:
        decision = await self._store.acquire_all(parts)
        return self._told(parts, decision, noted, remembered=remembered, under_attack=under_attack)

    def _told(
        self,
        parts: tuple[Part, ...],
        decision: Decision,
        noted: tuple[Part, ...] = (),
        *,
        remembered: bool = False,
        under_attack: bool = False,
    ) -> tuple[Ruling, Attempt]:
        """What the client is told: where it stands with the first part, and of others only that they refuse.

        An account's failures never do: they are what others have done with it.
        """
        told: list[Part] = []
        standings: list[Standing] = []
        place = 0
        for part in parts:
            end = place + len(part.quotas)
            if part is parts[0] or _violates(decision, part):
                told.append(part)
                standings += decision.standings[place:end]
            place = end
        ruling = Ruling(
            decision.allowed, tuple(told), tuple(standings), decision.refused_by, decision.retry_after
        )
        attempt = Attempt(
            self._store,
            # Nothing is known of what a store took that allows whatever it is asked.
            parts if decision.allowed and decision.standings else (),
            noted,
            places=self._places,
            telling=self._telling,
            remembered=remembered,
            under_attack=under_attack,
        )
        return ruling, attempt


def _violates(decision: Decision, part: Part) -> bool:
    # Not by identity: a store may tell of the same quota of another limit.
    return any(quota in decision.refused_by for quota in part.quotas)
