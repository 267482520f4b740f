"""What is decided when the store is slow or gone, so that requests neither wait for it nor fail with it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from garrison.events import EventLog, event_log
from garrison.ratelimit.breaker import Breaker
from garrison.ratelimit.deadlines import Deadlines
from garrison.ratelimit.quota import Decision, Part, Standing
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.ratelimit.quota import Quota, Store

OnError = Literal["memory", "open", "closed"]
OPEN: Final = Decision(allowed=True, refused_by=(), retry_after=0.0, standings=())
# Sets of quotas are few unless a callable makes them; then the oldest ones are divided again.
SETS: Final = 1024


@dataclass(slots=True)
class StoreCounts:
    """What has happened, for metrics; every number only grows.

    Attributes:
        answered: decisions of the store in time.
        seconds: that these took.
        failed: decisions that the store did not make, or not in time.
        bypassed: decisions for which it was not asked, because it was known to fail.
        opened: how often it was found to fail.
    """

    answered: int = 0
    seconds: float = 0.0
    failed: int = 0
    bypassed: int = 0
    opened: int = 0


class ResilientStore:
    """Asks a store, and answers without it where it is slow or gone.

    Every decision has a deadline. After a few failures in a row the store is not asked any more, but probed
    every second, in the background and by looking only, so that no request waits for it. Each change is one
    event, `rate_limit_store`.

    Args:
        store: decides.
        fallback: decides in its place where `on_error` is `memory`.
        deadline: seconds that a decision may wait for the store; time during which the event loop itself is
            held up does not count.
        on_error: `memory` for the fallback with an equal part of each quota, `open` to allow, `closed` to
            raise.
        workers: how many processes share the quotas; each gets that part of them, and at least one unit.
            A decision that costs more than a part costs all of it.
        name: of the store, for events.
        log: where the events go; standard output as JSON unless given.
        clock: seconds that never go back.

    Attributes:
        counts: for metrics.
        observe: for metrics too: told for how many seconds the store was waited for, and whether it answered;
            must not raise.
    """

    def __init__(
        self,
        store: Store,
        fallback: Store,
        *,
        deadline: float = 0.025,
        on_error: OnError = "memory",
        workers: int = 1,
        name: str = "",
        log: EventLog | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.counts = StoreCounts()
        self.observe: Callable[[float, Literal["answered", "failed"]], None] | None = None
        self._store = store
        self._fallback = fallback
        self._deadlines = Deadlines(deadline)
        self._deadline = deadline
        self._on_error = on_error
        self._workers = workers
        self._name = name
        self._log = log or event_log()
        self._clock = clock
        self._breaker = Breaker(clock)
        self._probing: asyncio.Task[None] | None = None
        # By identity, as in the store; what is divided is kept, or another one could get its identity.
        self._shares: dict[int, tuple[tuple[Quota, ...], tuple[Quota, ...]]] = {}

    @property
    def failing(self) -> bool:
        """Whether the store is known to fail, and not asked."""
        return self._breaker.opened is not None

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Decide for all quotas at once; see `Store`.

        Raises:
            ValueError: the cost is below 1.
            StoreUnavailableError: the store did not decide, and `on_error` is `closed`.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")
        return await self.acquire_all((Part(key, quotas, cost),))

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """Decide about several keys at once; see `Store`.

        Raises:
            ValueError: a cost is below 0.
            StoreUnavailableError: the store did not decide, and `on_error` is `closed`.
        """
        if self._breaker.opened is not None:
            self._bypass(parts[0])
        else:
            began = self._clock()
            try:
                with self._deadlines.limit():
                    decision = await self._store.acquire_all(parts)
            except (StoreUnavailableError, TimeoutError) as error:
                self._note_failure(began, error)
            else:
                self._note_answer(began)
                return decision
        if self._on_error == "open":
            return OPEN
        if self._on_error == "closed":
            raise StoreUnavailableError(f"the store {self._name} does not answer")
        return await self._decide_alone(parts)

    async def refund(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> None:
        """Give units back; see `Store`. What the store cannot take back is lost.

        Raises:
            ValueError: the cost is below 1.
        """
        if self._breaker.opened is None:
            began = self._clock()
            try:
                with self._deadlines.limit():
                    await self._store.refund(key, quotas, cost)
            except (StoreUnavailableError, TimeoutError) as error:
                self._note_failure(began, error)
            return
        self._bypass(Part(key, quotas))
        if self._on_error == "memory":
            divided = self._divided(quotas)
            await self._fallback.refund(key, divided, _bearable(cost, divided))

    async def standing(self, key: str, quotas: tuple[Quota, ...]) -> Decision:
        """Look, and take nothing; see `Store`.

        Raises:
            StoreUnavailableError: the store did not decide, and `on_error` is `closed`.
        """
        return await self.acquire_all((Part(key, quotas, 0),))

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:
        """Forget a key, in the fallback too; see `Store`.

        Raises:
            StoreUnavailableError: the store did not answer; only the fallback has forgotten the key.
        """
        alone = await self._fallback.reset(key, self._divided(quotas))
        return await self._store.reset(key, quotas) or alone

    async def aclose(self) -> None:
        """End the probe, and close both stores."""
        if self._probing is not None and self._probing.get_loop() is asyncio.get_running_loop():
            self._probing.cancel()
            await asyncio.wait([self._probing])
        await self._store.aclose()
        await self._fallback.aclose()

    def _note_answer(self, began: float) -> None:
        seconds = self._clock() - began
        self.counts.answered += 1
        self.counts.seconds += seconds
        if self.observe is not None:
            self.observe(seconds, "answered")
        self._breaker.succeed()

    def _note_failure(self, began: float, error: Exception) -> None:
        self.counts.failed += 1
        if self.observe is not None:
            self.observe(self._clock() - began, "failed")
        if not self._breaker.fail(began):
            return
        self.counts.opened += 1
        reason = str(error) or f"no answer within {self._deadline * 1000:g} ms"
        fields = {"store": self._name, "state": "failing", "on_error": self._on_error, "reason": reason}
        self._log.emit("error", "rate_limit_store", fields)

    def _bypass(self, part: Part) -> None:
        self.counts.bypassed += 1
        if self._breaker.probe() and (
            # A task of a loop that has ended stays as it was for ever.
            self._probing is None or self._probing.done() or self._probing.get_loop().is_closed()
        ):
            self._probing = asyncio.get_running_loop().create_task(self._probe(part))

    async def _probe(self, part: Part) -> None:
        try:
            with self._deadlines.limit():
                await self._store.standing(part.key, part.quotas)
        except (StoreUnavailableError, TimeoutError):
            return
        seconds = self._breaker.close()
        fields = {"store": self._name, "state": "answering", "seconds": round(seconds, 3)}
        self._log.emit("info", "rate_limit_store", fields)

    async def _decide_alone(self, parts: Sequence[Part]) -> Decision:
        shares = []
        for key, quotas, cost in parts:
            divided = self._divided(quotas)
            # A cost that no quota as a whole would bear is not made bearable.
            bearable = all(cost <= quota.limit for quota in quotas)
            shares.append(Part(key, divided, _bearable(cost, divided) if bearable else cost))
        decision = await self._fallback.acquire_all(shares)
        return _as_asked(decision, tuple(chain.from_iterable(part.quotas for part in parts)))

    def _divided(self, quotas: tuple[Quota, ...]) -> tuple[Quota, ...]:
        if self._workers == 1:
            return quotas
        kept = self._shares.get(id(quotas))
        if kept is None:
            shares = tuple(replace(quota, limit=max(1, quota.limit // self._workers)) for quota in quotas)
            if len(self._shares) >= SETS:
                self._shares.pop(next(iter(self._shares)))
            self._shares[id(quotas)] = kept = shares, quotas
        return kept[0]


def _bearable(cost: int, shares: tuple[Quota, ...]) -> int:
    return min(cost, *(share.limit for share in shares))


def _as_asked(decision: Decision, quotas: tuple[Quota, ...]) -> Decision:
    """The decision about shares, told about the quotas that were asked for."""
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
