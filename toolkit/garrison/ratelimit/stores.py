"""The store that a setting names, made without connecting to anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from limits.aio.storage import MemcachedStorage, MongoDBStorage

from garrison.nearest import nearest_to
from garrison.ratelimit.limits_store import ASYNC, LimitsStore
from garrison.ratelimit.memory import MEMORY, MemoryStore
from garrison.ratelimit.resilient import ResilientStore
from garrison.ratelimit.valkey import ValkeyStore
from garrison.ratelimit.valkey_url import SCHEMES, display
from garrison.rules import NotationError

if TYPE_CHECKING:
    from garrison.events import EventLog
    from garrison.ratelimit.quota import Algorithm, Store
    from garrison.ratelimit.resilient import OnError

# Those that the package `limits` has besides.
OF_LIMITS: Final = tuple(
    scheme.removeprefix(ASYNC)
    for storage in (MemcachedStorage, MongoDBStorage)
    for scheme in storage.STORAGE_SCHEME or ()
)
EXPECTED: Final = "memory://, a URL such as valkey://host:6379/0, or an async storage of the package limits"


def shared_store(url: str, algorithm: Algorithm) -> ValkeyStore | LimitsStore:
    """The store behind a URL that other processes reach too.

    Args:
        url: of a Valkey or Redis server, or of a storage of the package `limits`.
        algorithm: of all quotas.

    Raises:
        NotationError: the URL is none, or the storage lacks the algorithm.
        ModuleNotFoundError: a client is not installed; the message says how.
    """
    scheme = scheme_of(url)
    if not scheme:
        raise NotationError(EXPECTED, display(url))
    return ValkeyStore(url) if scheme in SCHEMES else LimitsStore(url, algorithm)


def scheme_of(url: str) -> str:
    """What stands in front of a URL; empty where it is none."""
    return url.partition("://")[0].removeprefix(ASYNC).lower() if "://" in url else ""


def nearest_scheme(url: str) -> str:
    """The scheme that a URL with an unknown one may have meant; empty where it is known, or near none."""
    known = {*SCHEMES, scheme_of(MEMORY), *OF_LIMITS}
    scheme = scheme_of(url)
    return nearest_to(scheme, sorted(known)) or "" if scheme not in known else ""


def store_of(
    url: str,
    algorithm: Algorithm,
    *,
    bound: int,
    deadline: float,
    on_error: OnError,
    workers: int,
    log: EventLog | None = None,
) -> Store:
    """The store that settings ask for, with what decides in its place.

    Args:
        url: `memory://`, or that of a shared store.
        algorithm: of all quotas.
        bound: keys that are kept in memory.
        deadline: seconds that a decision may wait for a shared store.
        on_error: what is decided when it does not answer.
        workers: processes that share the quotas.
        log: where changes of its state are told.

    Raises:
        NotationError: as `shared_store` does.
        ModuleNotFoundError: as `shared_store` does.
    """
    memory = MemoryStore(bound=bound)
    if url == MEMORY:
        return memory
    shared = shared_store(url, algorithm)
    return ResilientStore(
        shared, memory, deadline=deadline, on_error=on_error, workers=workers, name=shared.name, log=log
    )
