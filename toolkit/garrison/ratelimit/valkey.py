"""The store that many processes share: a Valkey or Redis server decides, by its own clock."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from garrison.ratelimit.coalescing import Ask, Coalescer
from garrison.ratelimit.quota import joined
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey_script import (
    AND,
    LOOK,
    NO_QUOTAS,
    RESET,
    SCRIPT,
    WHETHER,
    decision,
    words_of,
)
from garrison.ratelimit.valkey_url import display, line_maker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.ratelimit.quota import Decision, Part, Quota

PREFIX: Final = "garrison:"
ONE: Final = b"1"
# For each event loop: while the server decides what came by one, the other's replies are read. More of them
# make smaller batches, which cost more than they gain.
CONNECTIONS: Final = 2
# Sets of quotas are few unless a callable makes them; then the oldest ones are read again.
SETS: Final = 1024


class ValkeyStore:
    """Counts at a Valkey or Redis server, standalone, behind Sentinels or in a cluster.

    One key of the server holds all quotas of a client, and one script decides about all of them at once, and
    about several keys if a request is about several. Decisions that are asked for together travel together,
    over two connections for each event loop (in a cluster two to each node), those of one client always over
    the same. A decision whose reply is lost may have been counted.

    Made with valkey-py: beside redis-py it costs as much CPU per call and two thirds of the import.

    Args:
        url: where the server is; see `garrison.ratelimit.valkey_url`.
        timeout: seconds after which a trip is given up and its connection closed. How long a request waits
            is for `ResilientStore` to say.
        script: what decides at the server.

    Attributes:
        name: the URL without user and password.

    Raises:
        NotationError: the URL is not one.
        ModuleNotFoundError: the client is not installed; the message says how.
    """

    def __init__(self, url: str, *, timeout: float = 1.0, script: bytes = SCRIPT) -> None:
        self.name = display(url)
        self._make_line = line_maker(url)
        self._timeout = timeout
        self._script = script
        self._coalescers: dict[asyncio.AbstractEventLoop, tuple[Coalescer, ...]] = {}
        # By identity, because a tuple of quotas costs more to hash than to send. The tuple is kept as well,
        # or another one could get its identity.
        self._words: dict[int, tuple[tuple[bytes, ...], tuple[Quota, ...]]] = {}

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """Decide for all quotas at once; see `Store`.

        Raises:
            ValueError: the cost is below 1.
            StoreUnavailableError: the server did not answer.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")
        units = ONE if cost == 1 else b"%d" % cost
        return decision(quotas, await self._ask(key, quotas, units))

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """Decide about several keys at once; see `Store`.

        In a cluster keys live on different nodes, which no script can ask together. There all parts are
        looked at first, then each is taken, and what was taken is given back where another part is refused
        after all: at that moment others may be refused for units that come back.

        Raises:
            ValueError: a cost is below 0.
            StoreUnavailableError: the server did not answer.
        """
        key, quotas, cost = parts[0]
        if min([part.cost for part in parts]) < 0:
            raise ValueError("costs of at least 0, not " + " and ".join(str(part.cost) for part in parts))
        if len(parts) == 1:
            return decision(quotas, await self._ask(key, quotas, b"%d" % cost))
        loop = asyncio.get_running_loop()
        coalescers = self._coalescers.get(loop) or self._connect(loop)
        if not coalescers[0].joins:
            return await self._acquire_each(parts)
        answer = loop.create_future()
        rest = None
        for part in reversed(parts[1:]):
            rest = self._made(part.key, part.quotas, _units(part.cost, rest), answer, rest)
        ask = self._made(key, quotas, _units(cost, rest), answer, rest)
        coalescers[hash(key) % CONNECTIONS].put(ask)
        return decision(tuple(chain.from_iterable([part.quotas for part in parts])), self._read(await answer))

    async def refund(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> None:
        """Give units back; see `Store`.

        Raises:
            ValueError: the cost is below 1.
            StoreUnavailableError: the server did not answer.
        """
        if cost < 1:
            raise ValueError(f"a cost of at least 1, not {cost}")
        await self._ask(key, quotas, b"-%d" % cost)

    async def standing(self, key: str, quotas: tuple[Quota, ...]) -> Decision:
        """Look, and take nothing; see `Store`.

        Raises:
            StoreUnavailableError: the server did not answer.
        """
        return decision(quotas, await self._ask(key, quotas, LOOK))

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:  # noqa: ARG002 - the key is enough
        """Forget a key; see `Store`.

        Raises:
            StoreUnavailableError: the server did not answer.
        """
        return bool(await self._ask(key, (), RESET))

    async def aclose(self) -> None:
        """Close the connections of this event loop; those of others belong to them."""
        for coalescer in self._coalescers.pop(asyncio.get_running_loop(), ()):
            await coalescer.aclose()

    async def _acquire_each(self, parts: Sequence[Part]) -> Decision:
        """Take part by part, and give back what was taken if not all of them are allowed."""
        looked = await self._look_at(parts)
        if not looked.allowed:
            return looked
        answers = [self._put(key, quotas, b"%d" % cost) for key, quotas, cost in parts]
        try:
            # Unlike a plain await, this leaves answers alone when who waits for them is cancelled.
            await asyncio.wait(answers)
            told = [
                decision(part.quotas, self._read(answer.result()))
                for part, answer in zip(parts, answers, strict=True)
            ]
        except BaseException:
            self._give_back(parts, answers)
            raise
        found = joined(told)
        if not found.allowed:
            self._give_back(parts, answers)
            return found._replace(standings=(await self._look_at(parts)).standings)
        return found

    async def _look_at(self, parts: Sequence[Part]) -> Decision:
        """What is there of every part, without taking any."""
        answers = [self._put(key, quotas, b"%d" % cost + WHETHER) for key, quotas, cost in parts]
        replies = [self._read(await answer) for answer in answers]
        return joined([decision(part.quotas, reply) for part, reply in zip(parts, replies, strict=True)])

    def _give_back(self, parts: Sequence[Part], answers: Sequence[asyncio.Future[Any]]) -> None:
        """Give back what was taken, or will have been, without waiting for it."""
        for part, answer in zip(parts, answers, strict=True):
            if answer.done():
                self._give_back_one(part, answer)
            else:
                answer.add_done_callback(partial(self._give_back_one, part))

    def _give_back_one(self, part: Part, answer: asyncio.Future[Any]) -> None:
        reply = answer.result()
        if part.cost and not isinstance(reply, Exception) and decision(part.quotas, reply).allowed:
            self._put(part.key, part.quotas, b"-%d" % part.cost)

    async def _ask(self, key: str, quotas: tuple[Quota, ...], units: bytes) -> Any:
        return self._read(await self._put(key, quotas, units))

    def _put(self, key: str, quotas: tuple[Quota, ...], units: bytes) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        coalescers = self._coalescers.get(loop) or self._connect(loop)
        answer = loop.create_future()
        coalescers[hash(key) % CONNECTIONS].put(self._made(key, quotas, units, answer))
        return answer

    def _made(
        self,
        key: str,
        quotas: tuple[Quota, ...],
        units: bytes,
        answer: asyncio.Future[Any],
        rest: Ask | None = None,
    ) -> Ask:
        kept = self._words.get(id(quotas))
        words = self._keep(quotas) if kept is None else kept[0]
        return Ask((PREFIX + key).encode("utf-8", "surrogatepass"), words, units, answer, rest)

    def _read(self, reply: Any) -> Any:
        if isinstance(reply, StoreUnavailableError):
            # A new one for everybody, because each raise adds to an exception's traceback.
            raise StoreUnavailableError(f"{self.name}: {reply}") from reply
        if isinstance(reply, Exception):
            raise StoreUnavailableError(f"{self.name}: {type(reply).__name__}: {reply}") from reply
        return reply

    def _connect(self, loop: asyncio.AbstractEventLoop) -> tuple[Coalescer, ...]:
        """Begin anew in an event loop or a process that has no connection yet.

        What belonged to a loop that is closed is let go. What belongs to the process that this one was
        forked from is not: closing it here would take it from that process's selector, which both share.
        """
        self._coalescers = {
            other: coalescers for other, coalescers in self._coalescers.items() if not other.is_closed()
        }
        coalescers = tuple(
            Coalescer(self._make_line(self._script), self._timeout) for _ in range(CONNECTIONS)
        )
        self._coalescers[loop] = coalescers
        return coalescers

    def _keep(self, quotas: tuple[Quota, ...]) -> tuple[bytes, ...]:
        words = words_of(quotas) if quotas else NO_QUOTAS
        if len(self._words) >= SETS:
            self._words.pop(next(iter(self._words)))
        self._words[id(quotas)] = words, quotas
        return words


def _units(cost: int, rest: Ask | None) -> bytes:
    return b"%d" % cost if rest is None else b"%d" % cost + AND
