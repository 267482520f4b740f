"""Quotas that a callable of the app gives, one tenant at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from enum import Enum
from functools import lru_cache, partial
from inspect import isawaitable
from reprlib import repr as shortened
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.ratelimit.quota import parse_quotas
from garrison.rules import NotationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.ratelimit.quota import Algorithm, Quota


class Unknown(Enum):
    """Stands for quotas that have to be asked for."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

Who: TypeAlias = tuple[str, ...]
Quotas: TypeAlias = "tuple[Quota, ...] | None"

# Different answers of the callable that are read once only; tenants have a few plans between them.
PLANS: Final = 1024


class TenantQuotas:
    """Asks a callable for each tenant's quotas, and remembers them for a while.

    Whoever asks for a tenant while the callable is at work on it waits for the same answer. Tenants with the
    same answer get the same tuple, by which stores know quotas fast.

    Args:
        call: takes the parts of an identity, and gives quotas in the notation of `parse_quotas`, or None for
            a tenant that is not limited; sync or async. A sync one runs on the event loop, where
            every request waits for it, and so must not wait for anything itself.
        algorithm: how the quotas are counted.
        setting: how the setting is called that names the callable, for errors.
        ttl: seconds for which an answer is remembered.
        bound: how many tenants are remembered; beyond it the oldest answer goes.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        call: Callable[..., object],
        algorithm: Algorithm,
        *,
        setting: str,
        ttl: float = 60.0,
        bound: int = 10_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._call = call
        self._setting = setting
        self._ttl = ttl
        self._bound = bound
        self._clock = clock
        self._parse = lru_cache(PLANS)(partial(parse_quotas, algorithm=algorithm))
        # Until when, and what.
        self._known: OrderedDict[Who, tuple[float, Quotas]] = OrderedDict()
        self._asking: dict[tuple[asyncio.AbstractEventLoop, Who], asyncio.Task[Quotas]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def cached(self, *who: str) -> Quotas | Literal[Unknown.UNKNOWN]:
        """The quotas of a tenant as far as they are known without asking; else `UNKNOWN`."""
        known = self._known.get(who)
        if known is None or self._clock() >= known[0]:
            return UNKNOWN
        return known[1]

    async def quotas_for(self, *who: str) -> Quotas:
        """The quotas of a tenant; None if it is not limited.

        Args:
            who: the parts of the tenant's identity.

        Raises:
            TypeError: the callable returned neither a text nor None.
            ValueError: it returned a text that is not in the notation.
            Exception: whatever the callable raises. It is asked again the next time.
        """
        found = self.cached(*who)
        if found is not UNKNOWN:
            return found
        # What one loop waits for another one cannot.
        loop = asyncio.get_running_loop()
        task = self._asking.get((loop, who)) or self._ask(loop, who)
        try:
            # Whoever gives up must not take the answer away from the others.
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            asker = asyncio.current_task()
            if task.cancelled() and not (asker and asker.cancelling()):
                # It was the callable, or what it waited for; nobody here is to look cancelled.
                raise RuntimeError(f"{self._setting}: {self._name} was cancelled") from None
            raise

    def _ask(self, loop: asyncio.AbstractEventLoop, who: Who) -> asyncio.Task[Quotas]:
        def land(task: asyncio.Task[Quotas]) -> None:
            del self._asking[loop, who]
            if not task.cancelled():
                # There may be nobody left to hear of it, which asyncio would complain about.
                task.exception()

        task = self._asking[loop, who] = loop.create_task(self._learn(who))
        task.add_done_callback(land)
        return task

    async def _learn(self, who: Who) -> Quotas:
        answer = self._call(*who)
        quotas = self._read(await answer if isawaitable(answer) else answer)
        self._known.pop(who, None)
        if len(self._known) >= self._bound:
            self._known.popitem(last=False)
        self._known[who] = self._clock() + self._ttl, quotas
        return quotas

    def _read(self, answer: object) -> Quotas:
        if answer is None:
            return None
        if not isinstance(answer, str):
            raise TypeError(
                f"{self._setting}: expected {self._name} to return quotas such as '1000/hour; 20/second', or"
                f" None for a tenant without any, found {shortened(answer)}"
            )
        try:
            return self._parse(answer)
        except NotationError as error:
            raise ValueError(
                f"{self._setting}: expected {self._name} to return {error.expected}, found {error.found!r}"
            ) from None

    @property
    def _name(self) -> str:
        call = self._call
        name = getattr(call, "__qualname__", type(call).__qualname__)
        return f"{getattr(call, '__module__', type(call).__module__)}:{name}"
