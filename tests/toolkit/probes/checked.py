"""Functions that settings name as checks."""

from __future__ import annotations

import asyncio
import threading


class Dependency:
    """Something that an app depends on.

    Attributes:
        error: what asking for it raises; None while it is fine.
        delay: how many seconds an answer takes.
        asked: how often it was asked.
    """

    error: BaseException | None = None
    delay = 0.0
    asked = 0
    over = threading.Event()

    @classmethod
    def reset(cls) -> None:
        """Fine and fast, and never asked; what hangs in a thread ends."""
        cls.error, cls.delay, cls.asked = None, 0.0, 0
        cls.over.set()
        cls.over = threading.Event()


async def database() -> None:
    """An async check."""
    Dependency.asked += 1
    await asyncio.sleep(Dependency.delay)
    if Dependency.error is not None:
        raise Dependency.error


def cache() -> bool:
    """A sync check, which blocks."""
    Dependency.asked += 1
    Dependency.over.wait(Dependency.delay)
    if Dependency.error is not None:
        raise Dependency.error
    return True


async def together() -> None:
    """One that ends when a second one is asked meanwhile."""
    Dependency.asked += 1
    while Dependency.asked < 2:  # noqa: ASYNC110 - a class has no event of a loop
        await asyncio.sleep(0.001)


def needs_a_pool(pool: object, *rest: object, timeout: float = 1.0, **more: object) -> bool:
    """One that nobody can call without an argument."""
    return bool((pool, rest, timeout, more))


def needs_nothing(*rest: object, timeout: float = 1.0, **more: object) -> bool:
    """One that takes arguments, and needs none."""
    return not (rest or more) and timeout > 0


def refuses() -> bool:
    """One that is never fine."""
    return False
