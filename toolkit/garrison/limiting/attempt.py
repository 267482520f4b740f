"""One attempt to log in, and what becomes of what it took."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.ratelimit.quota import Part, Store


class Attempt:
    """One attempt to log in, which counts as a failure until it is said to have succeeded.

    Attributes:
        remembered: whether somebody at this address has logged in to this account before, as far as is known.
        under_attack: whether strangers have used up the failures of this account, so that a second factor is
            worth asking for.
    """

    __slots__ = ("_old", "_place", "_store", "_taken", "remembered", "under_attack")

    def __init__(
        self,
        store: Store,
        taken: tuple[Part, ...],
        place: Part | None,
        *,
        remembered: bool,
        old: bool,
        under_attack: bool,
    ) -> None:
        self.remembered = remembered
        self.under_attack = under_attack
        self._store = store
        self._taken = taken
        self._place = place
        self._old = old

    async def succeeded(self) -> None:
        """Give back what the attempt took, and remember that this address has logged in to this account.

        Only the first call does anything. What the store does not take now is lost: a login that succeeded is
        no failure because of it. A handler that runs in a thread, as FastAPI's do without `async`, calls
        `anyio.from_thread.run(attempt.succeeded)`.
        """
        taken, self._taken = self._taken, ()
        place, self._place = self._place, None
        tasks = [self._store.refund(*part) for part in taken]
        if place is not None and not self.remembered:
            tasks.append(self._remember(place))
        elif place is not None and self._old:
            tasks.append(self._renew(place))
        await asyncio.gather(*map(_as_far_as_possible, tasks))

    async def _remember(self, place: Part) -> None:
        await self._store.acquire(place.key, place.quotas)

    async def _renew(self, place: Part) -> None:
        await self._store.refund(place.key, place.quotas)
        await self._store.acquire(place.key, place.quotas)


async def _as_far_as_possible(task: Awaitable[None]) -> None:
    with suppress(StoreUnavailableError):
        await task
