"""What is decided when the store is slow or gone, so that requests neither wait for it nor fail with it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from garrison.events import EventLog, event_log
from garrison.ratelimit.breaker import Breaker
from garrison.ratelimit.deadlines import Deadlines
from garrison.ratelimit.probing import Probing
from garrison.ratelimit.quota import Decision, Part
from garrison.ratelimit.shares import Shares
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.ratelimit.quota import Algorithm, Quota, Store

OnError = Literal["memory", "open", "closed"]
# Seconds between two looks at a store that fails.
PAUSE: Final = 1.0
OPEN: Final = Decision(allowed=True, refused_by=(), retry_after=0.0, standings=())


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
    every second, in the background and by looking only, so that no request waits for it, and none is needed
    to find it well. Each change is one event, `rate_limit_store`.

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
        pause: seconds between two probes.

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
        pause: float = PAUSE,
    ) -> None:
        self.counts = StoreCounts()
        self.observe: Callable[[float, Literal["answered", "failed"]], None] | None = None
        self._store = store
        self._fallback = fallback
        self._deadlines = Deadlines(deadline)
        self._deadline = deadline
        self._on_error = on_error
        self._shares = Shares(workers)
        self._name = name
        self._log = log or event_log()
        self._clock = clock
        self._breaker = Breaker(clock)
        self._probing = Probing(self._is_well, pause)
        # What was asked last, to be looked at in a probe.
        self._asked: Part | None = None

    @property
    def algorithm(self) -> Algorithm | None:
        """The one algorithm that the store counts with; None where it has all of them."""
        found: Algorithm | None = getattr(self._store, "algorithm", None)
        return found

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
                self._note_failure(began, error, parts[0])
            else:
                self._note_answer(began)
                return decision
        if self._on_error == "open":
            return OPEN
        if self._on_error == "closed":
            raise StoreUnavailableError(f"the store {self._name} does not answer")
        return self._shares.as_asked(await self._fallback.acquire_all(self._shares.of(parts)), parts)

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
                self._note_failure(began, error, Part(key, quotas))
            return
        self._bypass(Part(key, quotas))
        if self._on_error == "memory":
            (share,) = self._shares.of((Part(key, quotas, cost),))
            await self._fallback.refund(*share)

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
        alone = await self._fallback.reset(key, self._shares.divided(quotas))
        return await self._store.reset(key, quotas) or alone

    async def aclose(self) -> None:
        """End the probes of this event loop, and close both stores."""
        await self._probing.aclose()
        await self._store.aclose()
        await self._fallback.aclose()

    def _note_answer(self, began: float) -> None:
        seconds = self._clock() - began
        self.counts.answered += 1
        self.counts.seconds += seconds
        if self.observe is not None:
            self.observe(seconds, "answered")
        self._breaker.succeed()

    def _note_failure(self, began: float, error: Exception, part: Part) -> None:
        self.counts.failed += 1
        if self.observe is not None:
            self.observe(self._clock() - began, "failed")
        if not self._breaker.fail(began):
            return
        self.counts.opened += 1
        reason = str(error) or f"no answer within {self._deadline * 1000:g} ms"
        fields = {"store": self._name, "state": "failing", "on_error": self._on_error, "reason": reason}
        self._log.emit("error", "rate_limit_store", fields)
        self._asked = part
        self._probing.begin()

    def _bypass(self, part: Part) -> None:
        self.counts.bypassed += 1
        self._asked = part
        # The event loop in which the store was found to fail may have ended.
        self._probing.begin()

    async def _is_well(self) -> bool:
        """Whether the store answers; the first loop to find out says so."""
        if self._breaker.opened is None or self._asked is None:
            return True
        try:
            with self._deadlines.limit():
                await self._store.standing(self._asked.key, self._asked.quotas)
        except (StoreUnavailableError, TimeoutError):
            return False
        if self._breaker.opened is not None:
            seconds = self._breaker.close()
            fields = {"store": self._name, "state": "answering", "seconds": round(seconds, 3)}
            self._log.emit("info", "rate_limit_store", fields)
        return True
