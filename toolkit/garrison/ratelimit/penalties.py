"""A block for whoever keeps asking after a refusal."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.algorithms import FORGIVEN
from garrison.ratelimit.quota import Quota

if TYPE_CHECKING:
    from collections.abc import Callable

# Not a word that a method, a path or the name of a quota can be, which other keys begin with.
PREFIX: Final = "blocked: "


def blocked_key(key: str) -> str:
    """Under which key the block of a key is counted."""
    return PREFIX + key


class Penalties:
    """Counts refusals that come too early in this process, and says when they are to become a block.

    A block is a quota that is used up: whoever looks at it is refused until it ends by itself, in every
    process that shares the store, and is told truthfully for how long.

    Where there are too many keys the one whose count began first is forgotten, which spares it the block but
    not the refusals. Sharing a count, as a store of quotas does then, would block somebody for what others
    did.

    Args:
        seconds: how long a block lasts, at least 1.
        after: refusals within the period that go unpunished.
        period: seconds that begin with the first of them.
        bound: how many keys there may be.
        clock: seconds that never go back.

    Attributes:
        block: what `blocked_key` is limited to: taking its unit begins a block.
    """

    __slots__ = ("_after", "_bound", "_clock", "_counts", "_period", "block")

    def __init__(
        self,
        seconds: float,
        after: int,
        *,
        period: float = 60.0,
        bound: int = 100_000,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.block = (Quota(name="blocked", limit=1, period=seconds, algorithm="fixed-window"),)
        self._after = after
        self._period = period
        self._bound = bound
        self._clock = clock
        # When the count ends, refusals so far, and when the last wait ends; the count that ends first is the
        # first one.
        self._counts: OrderedDict[str, tuple[float, int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def strike(self, key: str, wait: float) -> bool:
        """Count a refusal, unless the client waited as long as the last one told it to.

        Who obeys is refused again and again by a small quota, and hammers on nothing.

        Args:
            key: who was refused.
            wait: seconds that it is told to wait.

        Returns:
            Whether it was one too many, and the key is to be blocked; its count begins anew then.
        """
        now = self._clock()
        end, refusals, until = self._counts.get(key, (now, 0, now))
        if end <= now:
            end, refusals = now + self._period, 0
            self._counts.pop(key, None)
            self._drop_ended(now)
        elif now >= until - FORGIVEN:
            refusals -= 1
        if refusals >= self._after:
            self._counts.pop(key, None)
            return True
        self._counts[key] = end, refusals + 1, now + wait
        return False

    def _drop_ended(self, now: float) -> None:
        """Let go of up to two counts, more than the one that comes: of those that have ended, or for room."""
        for _ in range(2):
            if not self._counts:
                return
            end, _refusals, _until = next(iter(self._counts.values()))
            if end > now and len(self._counts) < self._bound:
                return
            self._counts.popitem(last=False)
