"""The store that many processes share: a Valkey or Redis server decides, by its own clock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from garrison.ratelimit.coalescing import Ask, Coalescer
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey_script import LOOK, NO_QUOTAS, RESET, SCRIPT, decision, words_of
from garrison.ratelimit.valkey_url import display, line_maker

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Decision, Quota

PREFIX: Final = "garrison:"
ONE: Final = b"1"
# For each event loop: while the server decides what came by one, the other's replies are read. More of them
# make smaller batches, which cost more than they gain.
CONNECTIONS: Final = 2
# Sets of quotas are few unless a callable makes them; then the oldest ones are read again.
SETS: Final = 1024


class ValkeyStore:
    """Counts at a Valkey or Redis server, standalone, behind Sentinels or in a cluster.

    One key of the server holds all quotas of a client, and one script decides about all of them at once.
    Decisions that are asked for together travel together, over two connections for each event loop (in a
    cluster two to each node), those of one client always over the same. A decision whose reply is lost may
    have been counted.

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
        if cost == 1:
            units = ONE
        elif cost > 1:
            units = b"%d" % cost
        else:
            raise ValueError(f"a cost of at least 1, not {cost}")
        return decision(quotas, await self._ask(key, quotas, units))

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

    async def reset(self, key: str) -> bool:
        """Forget a key; see `Store`.

        Raises:
            StoreUnavailableError: the server did not answer.
        """
        return bool(await self._ask(key, (), RESET))

    async def aclose(self) -> None:
        """Close the connections of this event loop; those of others belong to them."""
        for coalescer in self._coalescers.pop(asyncio.get_running_loop(), ()):
            await coalescer.aclose()

    async def _ask(self, key: str, quotas: tuple[Quota, ...], units: bytes) -> Any:
        loop = asyncio.get_running_loop()
        coalescers = self._coalescers.get(loop)
        if coalescers is None:
            coalescers = self._connect(loop)
        kept = self._words.get(id(quotas))
        answer = loop.create_future()
        ask = Ask(
            (PREFIX + key).encode("utf-8", "surrogatepass"),
            self._keep(quotas) if kept is None else kept[0],
            units,
            answer,
        )
        coalescers[hash(key) % CONNECTIONS].put(ask)
        reply = await answer
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
