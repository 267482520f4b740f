"""The store that a section names; what others than memory need is imported only where it is used."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from garrison.ratelimit.memory import MEMORY, MemoryStore
from garrison.rules import NotationError

if TYPE_CHECKING:
    from garrison.events import EventLog
    from garrison.ratelimit.quota import Algorithm, Store
    from garrison.ratelimit.resilient import OnError

# Schemes of the package `limits` that are not this project's own; what it counts cannot be given back.
NO_REFUNDS: Final = "a Valkey or Redis server or memory://, because units cannot be given back at"
# A block is a fixed window, and these have one algorithm for everything.
NO_BLOCKS: Final = "a Valkey or Redis server or memory://, or the algorithm fixed-window, to block clients at"


def check_storage(url: str, algorithm: Algorithm, *, refunds: bool, penalty: bool) -> float:
    """Refuse a storage that cannot be used, without connecting to it.

    Args:
        url: as the setting has it.
        algorithm: of all quotas.
        refunds: whether units are to be given back.
        penalty: whether clients are to be blocked.

    Returns:
        The seconds that a quota can be for there; infinite at most storages.

    Raises:
        NotationError: its URL is none, or it lacks the algorithm, refunds or blocks.
        ModuleNotFoundError: its client is missing; the message says how it is installed.
    """
    if url == MEMORY:
        return inf
    from garrison.ratelimit.limits_store import LimitsStore  # noqa: PLC0415 - who counts in memory needs none
    from garrison.ratelimit.stores import shared_store  # noqa: PLC0415 - for the same reason

    store = shared_store(url, algorithm)
    if refunds and isinstance(store, LimitsStore):
        raise NotationError(f"{NO_REFUNDS} {store.name}", "refunds")
    if penalty and isinstance(store, LimitsStore) and algorithm != "fixed-window":
        raise NotationError(f"{NO_BLOCKS} {store.name}", "penalty")
    return store.longest_period if isinstance(store, LimitsStore) else inf


def open_storage(
    url: str,
    algorithm: Algorithm,
    *,
    bound: int,
    deadline: float,
    on_error: OnError,
    workers: int,
    log: EventLog | None,
) -> Store:
    """The store behind a setting; see `store_of`."""
    if url == MEMORY:
        return MemoryStore(bound=bound)
    from garrison.ratelimit.stores import store_of  # noqa: PLC0415 - who counts in memory needs none

    return store_of(
        url, algorithm, bound=bound, deadline=deadline, on_error=on_error, workers=workers, log=log
    )
