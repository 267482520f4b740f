"""Decisions of one event loop that travel together: what is asked during a trip goes with the next."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from garrison.ratelimit.deadlines import Deadlines
from garrison.ratelimit.unavailable import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

# A batch of this size keeps the server busy for about a millisecond; then other workers get their turn.
BATCH: Final = 128


class Ask:
    """One question to the server.

    Attributes:
        key: the key at the server.
        words: the words of the quotas, for the script.
        units: what to take, in the script's notation.
        answer: set to the reply, or to the exception in its place. As an exception it would be reported as
            never retrieved wherever a caller was cancelled.
        rest: about the next key, where the question is about several at once. It has the same answer.
    """

    __slots__ = ("answer", "key", "rest", "units", "words")

    def __init__(
        self,
        key: bytes,
        words: tuple[bytes, ...],
        units: bytes,
        answer: asyncio.Future[Any],
        rest: Ask | None = None,
    ) -> None:
        self.key = key
        self.words = words
        self.units = units
        self.answer = answer
        self.rest = rest


class Line(Protocol):
    """A way to the server, for one event loop and one trip at a time.

    Attributes:
        joins: whether one ask can be about several keys.
    """

    joins: bool

    async def carry(self, asks: Sequence[Ask]) -> list[Any]:
        """Make one trip.

        Returns:
            One reply for each ask, or an exception in its place.

        Raises:
            StoreUnavailableError: there is no reply for any of them.
        """
        ...

    async def aclose(self) -> None:
        """Let go of every connection."""
        ...


class Coalescer:
    """Carries the asks of one event loop in their order, one trip at a time.

    Args:
        line: the way to the server.
        timeout: seconds that one trip may take, connecting included; time during which the event loop itself
            is held up does not count.

    Attributes:
        loop: the event loop.
        joins: that of the line.
    """

    def __init__(self, line: Line, timeout: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.joins = line.joins
        self._line = line
        self._timeout = timeout
        self._deadlines = Deadlines(timeout)
        self._waiting: deque[Ask] = deque()
        self._carrier: asyncio.Task[None] | None = None

    def put(self, ask: Ask) -> None:
        """Take an ask along with the next trip.

        The carrier starts after what is ready in this turn of the loop, so that all of it travels together.
        """
        self._waiting.append(ask)
        if self._carrier is None:
            self._carrier = self.loop.create_task(self._carry())

    async def aclose(self) -> None:
        """Give up what waits, and let go of the line."""
        if self._carrier is not None:
            self._carrier.cancel()
            await asyncio.wait([self._carrier])
        # A peer that is frozen does not say goodbye.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                await self._line.aclose()

    async def _carry(self) -> None:
        batch: list[Ask] = []
        try:
            while batch := self._next_batch():
                replies = await self._trip(batch)
                for ask, reply in zip(batch, replies, strict=True):
                    if not ask.answer.done():
                        ask.answer.set_result(reply)
        except asyncio.CancelledError:
            # Whoever waits was not cancelled, and must not look so.
            for ask in (*batch, *self._waiting):
                if not ask.answer.done():
                    ask.answer.set_result(StoreUnavailableError("the store was closed"))
            self._waiting.clear()
            raise
        finally:
            self._carrier = None

    def _next_batch(self) -> list[Ask]:
        batch: list[Ask] = []
        while self._waiting and len(batch) < BATCH:
            ask = self._waiting.popleft()
            # Whoever was cancelled in the queue takes nothing.
            if not ask.answer.done():
                batch.append(ask)
        return batch

    async def _trip(self, batch: list[Ask]) -> list[Any]:
        try:
            with self._deadlines.limit():
                return await self._line.carry(batch)
        except TimeoutError:
            error: Exception = StoreUnavailableError(f"no answer within {self._timeout:g} s")
        except Exception as unforeseen:  # noqa: BLE001 - it is raised where somebody waits for it
            error = unforeseen
        return [error] * len(batch)
