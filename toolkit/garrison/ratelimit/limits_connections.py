"""Lets go of the connections of a storage of the `limits` package, which has no word for that."""

from __future__ import annotations

from inspect import isawaitable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from limits.aio.storage import Storage

# Where `limits` keeps the client of its storages, and clients their connections.
HELD: Final = ("bridge", "_storage", "storage", "connection_pool")


async def close_connections(storage: Storage) -> None:
    """Close the connections of a storage, if its client can do that and has any.

    Args:
        storage: of the running event loop; it is not to be asked any more.
    """
    held: Any = storage
    for name in HELD:
        held = getattr(held, name, None) or held
    close = getattr(held, "aclose", None) or getattr(held, "close", None)
    ending = close() if callable(close) else None
    if isawaitable(ending):
        await ending
