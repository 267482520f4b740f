"""Counts in the memory of one process: bounded, and with no step that takes long."""

from __future__ import annotations

from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from garrison.ratelimit.judges import judge
from garrison.ratelimit.quota import joined
from garrison.ratelimit.table import NOWHERE, SHARDS, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from garrison.ratelimit.quota import Decision, Part, Quota

MEMORY: Final = "memory://"
"""How a setting names this store."""

# Keys that a new key looks at, to let go of what has recovered: more than one, so that they get fewer.
LOOKS: Final = 2
# Keys that a new key looks at in one dictionary where there is no room.
SEARCH: Final = 8
# Other dictionaries that it looks at then: in a small memory one may hold a blocked client and nothing else.
TURNS: Final = 4
# Seconds between two looks at what nobody asks for any more, and keys that such a look is at.
PAUSE: Final = 0.01
SWEEP: Final = 64
# Tuples of quotas known by sight; a callable may make a new one for every request.
SIGHTS: Final = 1024


# A part: its table, its key, its state, its cost.
_Asked: TypeAlias = "tuple[Table, str, Any, int]"
# The same, where the key is None if it shares a bucket.
_Placed: TypeAlias = "tuple[Table, str | None, Any, int]"


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
        self._apart: MemoryStore | None = None

    @property
    def apart(self) -> MemoryStore:
        """Another memory of the same bound and clock, for what is kept so long that it would fill this."""
        if self._apart is None:
            self._apart = MemoryStore(clock=self._clock, bound=self._bound)
        return self._apart

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

    def desk(self, quotas: tuple[Quota, ...]) -> Callable[[str], Decision]:
        """What decides as `decide` does, for these quotas and at a cost of 1, in two thirds of the time.

        Args:
            quotas: at least one; of a setting, because what is remembered of them stays until the end.
        """
        table = self._table(quotas)
        table.stays = True
        clock, shards, take_one = self._clock, table.shards, table.judge.take_one

        def decide(key: str) -> Decision:
            now = clock()
            if now >= self._next_look:
                self._look_around(now)
            shard = shards.get(hash(key) % SHARDS, NOWHERE)
            state = shard.get(key)
            if state is None:
                return self._admit(table, key, 1, now)
            shard[key], decision = take_one(state, now)
            return decision

        return decide

    def decide_all(self, parts: Sequence[Part]) -> Decision:
        """What `acquire_all` does, for callers who would rather not wait for a coroutine.

        Args:
            parts: at least one, each with a key of its own.

        Raises:
            ValueError: a cost is below 0.
        """
        if len(parts) == 1 and parts[0].cost > 0:
            return self.decide(*parts[0])
        now = self._clock()
        if now >= self._next_look:
            self._look_around(now)
        asked: list[_Asked] = []
        new = 0
        for key, quotas, cost in parts:
            if cost < 0:
                raise ValueError(f"expected a cost of at least 0, found {cost}")
            table = self._by_sight.get(id(quotas)) or self._table(quotas)
            state = table.shards.get(hash(key) % SHARDS, NOWHERE).get(key)
            if state is None:
                state = table.judge.untouched
                new += cost > 0
            asked.append((table, key, state, cost))
        placed: Sequence[_Placed] = asked
        taken, decision = _taken(placed, now)
        if new and self._size + new > self._bound and decision.allowed:
            placed = self._placed(asked, now)
            taken, decision = _taken(placed, now)
        if decision.allowed:
            self._remember(placed, taken, now)
        return decision

    async def acquire(self, key: str, quotas: tuple[Quota, ...], cost: int = 1) -> Decision:
        """See `Store`."""
        return self.decide(key, quotas, cost)

    async def acquire_all(self, parts: Sequence[Part]) -> Decision:
        """See `Store`."""
        return self.decide_all(parts)

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
        return table.look(table.shard_of(key).get(key, table.judge.untouched), self._clock())

    async def reset(self, key: str, quotas: tuple[Quota, ...]) -> bool:  # noqa: ARG002 - the key is enough
        """See `Store`; whatever other quotas the key had are forgotten too."""
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

    def _placed(self, asked: Sequence[_Asked], now: float) -> list[_Placed]:
        """Find room for new keys where others must make way; those without room share a bucket."""
        keys = {key for _, key, _, _ in asked}
        rooms = 0
        shared: dict[Table, Any] = {}
        placed: list[_Placed] = []
        for table, key, state, cost in asked:
            if not cost or key in table.shard_of(key):
                placed.append((table, key, state, cost))
            elif self._size + rooms < self._bound or self._make_room(table, hash(key) % SHARDS, now, keys):
                rooms += 1
                placed.append((table, key, state, cost))
            else:
                before = shared.get(table, table.shared)
                placed.append((table, None, before, cost))
                # Another part may have to share the same bucket, and comes after this one.
                shared[table] = table.take(before, cost, now)[0]
        for table, _, _, _ in asked:
            self._tables.setdefault(table.quotas, table)
        return placed

    def _remember(self, placed: Sequence[_Placed], taken: Sequence[Any], now: float) -> None:
        for (table, key, _, cost), state in zip(placed, taken, strict=True):
            if not cost:
                continue
            if key is None:
                table.shared = state
            elif table.put(key, state):
                self._size += 1 - table.drop_recovered(hash(key) % SHARDS, LOOKS, now)

    def _make_room(self, table: Table, number: int, now: float, keep: Container[str] = ()) -> bool:
        """Let go of a key that is not much of a loss: near the new one, or wherever it is the turn of."""
        found = table.drop_one(number, SEARCH, now, keep)
        for _ in range(TURNS):
            if found or not self._size:
                break
            other, number = self._turn()
            found = other.drop_one(number, SEARCH, now, keep)
        # A round takes away tables without keys, and this one may have none but that which is to come.
        self._tables.setdefault(table.quotas, table)
        self._size -= found
        return found

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
            if not (table.shards or table.stays) and table.judge.recovered(table.shared, self._clock()):
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


def _taken(placed: Sequence[_Placed], now: float) -> tuple[list[Any], Decision]:
    """The states once every part has taken what it asks for, and the decision about that."""
    taken = []
    told = []
    for table, _, state, cost in placed:
        after, decision = table.take(state, cost, now) if cost else (state, table.look(state, now))
        taken.append(after)
        told.append(decision)
    decision = joined(told)
    if not decision.allowed:
        looks = [table.look(state, now) for table, _, state, _ in placed]
        standings = chain.from_iterable(look.standings for look in looks)
        decision = decision._replace(standings=tuple(standings))
    return taken, decision


def _too_cheap(cost: int) -> ValueError:
    return ValueError(f"expected a cost of at least 1, found {cost}")
