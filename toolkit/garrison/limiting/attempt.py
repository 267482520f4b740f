"""One attempt to log in, and what becomes of what it took."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.security_events import LOGIN_FAIL, LOGIN_SUCCESS

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from garrison.context import RequestContext
    from garrison.limiting.counting import Telling
    from garrison.ratelimit.quota import Part, Store


class Attempt:
    """One attempt to log in, which counts as a failure until it is said to have succeeded.

    Attributes:
        remembered: whether somebody at this address has logged in to this account before, as far as is known.
        under_attack: whether strangers have used up the failures of this account, so that a second factor is
            worth asking for.
    """

    __slots__ = (
        "_context",
        "_noted",
        "_places",
        "_store",
        "_taken",
        "_telling",
        "remembered",
        "under_attack",
    )

    def __init__(
        self,
        store: Store,
        taken: tuple[Part, ...],
        noted: tuple[Part, ...],
        *,
        places: Store,
        telling: Telling,
        remembered: bool,
        under_attack: bool,
    ) -> None:
        self.remembered = remembered
        self.under_attack = under_attack
        self._places = places
        self._telling = telling
        self._store = store
        self._taken = taken
        self._noted = noted
        self._context: RequestContext | None = None

    def watch(self, context: RequestContext) -> None:
        """Have the access log tell how it ends.

        Args:
            context: of the request.
        """
        self._context = context
        context.note(LOGIN_FAIL)

    async def succeeded(self) -> None:
        """Give back what the attempt took, and remember that this address has logged in to this account.

        Only the first call does anything. What the store does not take now is lost: a login that succeeded is
        no failure because of it. A handler that runs in a thread, as FastAPI's do without `async`, calls
        `anyio.from_thread.run(attempt.succeeded)`.
        """
        if self._context is not None:
            events = self._context.security_events
            self._context.security_events = tuple(event for event in events if event != LOGIN_FAIL)
            self._context.note(LOGIN_SUCCESS)
        taken, self._taken = self._taken, ()
        noted, self._noted = self._noted, ()
        tasks = [self._store.refund(*part) for part in taken]
        if noted:
            tasks.append(self._note(noted))
        await asyncio.gather(*map(_as_far_as_possible, tasks))
        if taken:
            await _as_far_as_possible(self._tell(taken[0]))

    async def _tell(self, first: Part) -> None:
        """Have the reply say what is left now."""
        decision = await self._store.standing(first.key, first.quotas)
        if decision.standings:
            self._telling.say_anew((first,), decision.standings)

    async def _note(self, parts: tuple[Part, ...]) -> None:
        """Have the address known from now on, in place of what was known of it."""
        if self.remembered:
            await asyncio.gather(*(self._places.refund(*part) for part in parts))
        await self._places.acquire_all(parts)


async def _as_far_as_possible(task: Awaitable[None]) -> None:
    with suppress(StoreUnavailableError):
        await task
