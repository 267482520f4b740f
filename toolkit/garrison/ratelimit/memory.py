"""Counts in the memory of one process: bounded, and with no step that takes long."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.judges import judge
from garrison.ratelimit.table import NOWHERE, SHARDS, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.ratelimit.quota import Decision, Quota

MEMORY: Final = "memory://"
"""How a setting names this store."""

# Keys that a new key looks at, to let go of what has recovered: more than one, so that they get fewer.
LOOKS: Final = 2
# Keys that a new key looks at in one dictionary where there is no room.
SEARCH: Final = 8
# Seconds between two looks at what nobody asks for any more, and keys that such a look is at.
PAUSE: Final = 0.01
SWEEP: Final = 64
# Tuples of quotas known by sight; a callable may make a new one for every request.
SIGHTS: Final = 1024


class MemoryStore:
    """Counts for one process, bounded.

    A key that is new, and a hundred times a second one that is not, looks at a few others in turn and lets
    go of those that have recovered. Where there is no room it may also let go of one that has used a single
    unit of more, and otherwise shares one bucket with other new keys: a flood of made-up keys can neither
    fill the memory nor make the store forget a client that is blocked or nearly so.

    Args:
        clock: seconds that never go back.
        bound: how many keys there may be, at least 1.
    """

    def __init__(self, *, clock: Callable[[], float] = monotonic, bound: int = 1_000_000) -> None:
        self._clock = clock
        self._bound = bound
        self._size = 0
        self._tables: dict[tuple[Quota, ...], Table] = {}
        # The hash of quotas takes longer than a decision. What is known by its place must stay alive.
        self._by_sight: dict[int, Table] = {}
        self._seen: list[tuple[Quota, ...]] = []
        self._next_look = 0.0
        self._hand = self._round()

    def __len__(self) -> int:
        return self._size

    def decide(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """What `acquire` does, for callers who would rather not wait for a coroutine.

        Args:
            key: who asks.
            quotas: at least one.
            cost: units.

        Raises:
            ValueError: the cost is below 1.
        """
        if cost < 1:
            raise _too_cheap(cost)
        now = self._clock()
        if now >= self._next_look:
            self._look_around(now)
        table = self._by_sight.get(id(quotas)) or self._table(quotas)
        shard = table.shards.get(hash(key) % SHARDS, NOWHERE)
        state = shard.get(key)
        if state is None:
            return self._admit(table, key, cost, now)
        shard[key], decision = table.take(state, cost, now)
        return decision

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """See `Store`."""
        return self.decide(key, quotas, cost)

    async def refund(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> None:
        """See `Store`; what came out of the shared bucket does not go back, because it may be another's."""
        if cost < 1:
            raise _too_cheap(cost)
        table = self._table(quotas)
        shard = table.shard_of(key)
        if key in shard:
            shard[key] = table.judge.refunded(shard[key], cost, self._clock())

    async def standing(self, key: str, quotas: tuple[Quota, ...]) -> Decision:
        """See `Store`."""
        table = self._table(quotas)
        return table.judge.look(table.shard_of(key).get(key, table.judge.untouched), self._clock())

    async def reset(self, key: str) -> bool:
        """See `Store`."""
        found = sum(table.forget(key) for table in self._tables.values())
        self._size -= found
        return found > 0

    async def aclose(self) -> None:
        """See `Store`; there is nothing to let go of."""

    def _admit(self, table: Table, key: str, cost: int, now: float) -> Decision:
        """Decide for a key that is not remembered."""
        number = hash(key) % SHARDS
        self._size -= table.drop_recovered(number, LOOKS, now)
        if self._size >= self._bound and not self._make_room(table, number, now):
            table.shared, decision = table.take(table.shared, cost, now)
            return decision
        state, decision = table.take(table.judge.untouched, cost, now)
        if decision.allowed:
            table.shards.setdefault(number, {})[key] = state
            self._size += 1
        return decision

    def _make_room(self, table: Table, number: int, now: float) -> bool:
        """Let go of a key that is not much of a loss: near the new one, or wherever it is the turn of."""
        found = table.drop_one(number, SEARCH, now)
        if not found:
            table, number = self._turn()
            found = table.drop_one(number, SEARCH, now)
        self._size -= found
        return found > 0

    def _look_around(self, now: float) -> None:
        self._next_look = now + PAUSE
        if self._size:
            table, number = self._turn()
            self._size -= table.sweep(number, SWEEP, now)

    def _turn(self) -> tuple[Table, int]:
        """The next dictionary with keys in it, of which there must be one."""
        found = next(self._hand, None)
        while found is None:
            self._hand = self._round()
            found = next(self._hand, None)
        return found

    def _round(self) -> Iterator[tuple[Table, int]]:
        for table in list(self._tables.values()):
            for number in list(table.shards):
                yield table, number
            if not table.shards and table.judge.recovered(table.shared, self._clock()):
                del self._tables[table.quotas]
                self._by_sight.clear()
                self._seen.clear()

    def _table(self, quotas: tuple[Quota, ...]) -> Table:
        """The table of quotas that are not known by sight."""
        table = self._tables.get(quotas)
        if table is None:
            table = self._tables[quotas] = Table(quotas, judge(quotas))
        if len(self._seen) >= SIGHTS:
            self._by_sight.clear()
            self._seen.clear()
        self._by_sight[id(quotas)] = table
        self._seen.append(quotas)
        return table


def _too_cheap(cost: int) -> ValueError:
    return ValueError(f"expected a cost of at least 1, found {cost}")
