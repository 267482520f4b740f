"""A memory store whose clock the test moves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Algorithm, Decision, Quota


class Bench:
    """A store, its clock, and the quotas that most of the requests have.

    Args:
        quotas: in the notation of settings.
        algorithm: how they are counted.
        start: what the clock says first, in seconds.
        bound: of the store.
    """

    def __init__(
        self, quotas: str, algorithm: Algorithm = "token-bucket", *, start: float = 0.0, bound: int = 1000
    ) -> None:
        self.now = start
        self.quotas = parse_quotas(quotas, algorithm)
        self.store = MemoryStore(clock=lambda: self.now, bound=bound)

    def ask(self, key: str = "a", cost: int = 1, quotas: tuple[Quota, ...] | None = None) -> Decision:
        """One request of a client."""
        return self.store.decide(key, quotas or self.quotas, cost)

    def refund(self, key: str = "a", cost: int = 1) -> None:
        """Give something back to a client."""
        asyncio.run(self.store.refund(key, self.quotas, cost))

    def look(self, key: str = "a") -> Decision:
        """What a client would be told."""
        return asyncio.run(self.store.standing(key, self.quotas))

    def reset(self, key: str = "a") -> bool:
        """Forgive a client."""
        return asyncio.run(self.store.reset(key, self.quotas))

    def admitted(self, tries: int, key: str = "a") -> int:
        """How many of so many requests at once are allowed."""
        return sum(self.ask(key).allowed for _ in range(tries))
