"""The keys that have the same quotas, in many small dictionaries."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Container

    from garrison.ratelimit.judges import Judge
    from garrison.ratelimit.quota import Decision, Quota

# A million keys are a thousand in each dictionary, which grows, or empties, within microseconds.
SHARDS: Final = 1024

Shard: TypeAlias = dict[str, Any]
NOWHERE: Final[Shard] = {}


class Table:
    """States by key, in dictionaries by the key's hash, which nobody outside can foresee.

    Args:
        quotas: what all of the keys have.
        judge: decides for them.

    Attributes:
        quotas: the same.
        judge: the same.
        take: that of the judge.
        unknown: the decision of a look at a key that is not remembered, whatever the time.
        shared: the state of all keys together for which there is no room.
        shards: the dictionaries that are not empty, by number.
        stays: whether somebody holds on to it, so that it is not let go of when there is nothing in it.
    """

    __slots__ = ("judge", "quotas", "shards", "shared", "stays", "take", "unknown")

    def __init__(self, quotas: tuple[Quota, ...], judge: Judge) -> None:
        self.quotas = quotas
        self.judge = judge
        self.take = judge.take
        self.unknown = judge.look(judge.untouched, 0.0)
        self.shared = judge.untouched
        self.shards: dict[int, Shard] = {}
        self.stays = False

    def shard_of(self, key: str) -> Shard:
        """Where a key is, if it is anywhere; new keys do not go there."""
        return self.shards.get(hash(key) % SHARDS, NOWHERE)

    def look(self, state: Any, now: float) -> Decision:
        """As the judge's, at once for a key that is not remembered."""
        return self.unknown if state is self.judge.untouched else self.judge.look(state, now)

    def put(self, key: str, state: Any) -> bool:
        """Remember the state of a key, and say whether the key is new."""
        number = hash(key) % SHARDS
        shard = self.shards.get(number)
        if shard is None:
            self.shards[number] = {key: state}
            return True
        new = key not in shard
        shard[key] = state
        return new

    def forget(self, key: str) -> bool:
        """Let go of one key, and say whether it was there."""
        number = hash(key) % SHARDS
        shard = self.shards.get(number, NOWHERE)
        if key not in shard:
            return False
        del shard[key]
        if not shard:
            del self.shards[number]
        return True

    def drop_recovered(self, number: int, looks: int, now: float) -> int:
        """Let go of what has recovered among the keys whose turn it is, and leave the others there.

        Args:
            number: of the dictionary.
            looks: how many keys to look at.
            now: in seconds.

        Returns:
            How many went.
        """
        shard = self.shards.get(number, NOWHERE)
        gone = [key for key in islice(shard, looks) if self.judge.recovered(shard[key], now)]
        for key in gone:
            del shard[key]
        if gone and not shard:
            del self.shards[number]
        return len(gone)

    def sweep(self, number: int, looks: int, now: float) -> int:
        """As `drop_recovered`, and have the others wait for their next turn.

        Args:
            number: of the dictionary.
            looks: how many keys to look at.
            now: in seconds.

        Returns:
            How many went.
        """
        looked_at = list(islice(self.shards.get(number, NOWHERE), looks))
        gone = self.drop_recovered(number, looks, now)
        shard = self.shards.get(number, NOWHERE)
        for key in looked_at:
            if key in shard:
                shard[key] = shard.pop(key)
        return gone

    def drop_one(self, number: int, looks: int, now: float, keep: Container[str] = ()) -> bool:
        """Let go of the first key that is expendable, and have those before it wait for their next turn.

        Args:
            number: of the dictionary.
            looks: how many keys to look at.
            now: in seconds.
            keep: keys that stay whatever they have used.

        Returns:
            Whether there was one.
        """
        shard = self.shards.get(number, NOWHERE)
        for key in list(islice(shard, looks)):
            state = shard.pop(key)
            if key not in keep and self.judge.expendable(state, now):
                if not shard:
                    del self.shards[number]
                return True
            shard[key] = state
        return False
