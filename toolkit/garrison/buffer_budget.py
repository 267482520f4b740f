"""One bound on what all requests of a process hold in memory together."""

from __future__ import annotations

from typing import Final, Self

from garrison.problems import Problem

# Bytes; a process that holds more of what it has not even looked at is under attack.
USUAL: Final = 256_000_000

# A client that sends its bytes one by one would fill the memory with pieces; so many are put together.
PIECES: Final = 1024

# Seconds. Bodies are held for as long as they take to arrive, which is soon over for most.
RETRY_AFTER: Final = [(b"retry-after", b"1")]
FULL: Final = Problem(status=503, detail="The server holds too many requests in memory at the moment.")


class BufferBudget:
    """How many bytes may be held, and how many are.

    Args:
        limit: bytes.

    Attributes:
        limit: bytes.
        held: bytes that requests hold at the moment.
    """

    __slots__ = ("held", "limit")

    def __init__(self, limit: int = USUAL) -> None:
        self.limit = limit
        self.held = 0

    def share(self) -> Share:
        """What one request holds; a context that gives all of it back in the end."""
        return Share(self)


class Share:
    """What one request holds of a budget.

    Args:
        budget: that all requests share.
    """

    __slots__ = ("_budget", "_size")

    def __init__(self, budget: BufferBudget) -> None:
        self._budget = budget
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def take(self, size: int) -> bool:
        """Whether this request may hold so many bytes more; if not, it is to be refused with `FULL`."""
        budget = self._budget
        if budget.held + size > budget.limit:
            return False
        budget.held += size
        self._size += size
        return True

    def release(self) -> None:
        """Give everything back; whoever has the bytes now answers for them."""
        self._budget.held -= self._size
        self._size = 0
