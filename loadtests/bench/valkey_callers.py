"""What asks a Valkey server about quotas: Garrison's store, its peers, and the least that can be asked.

All of them use valkey-py with libvalkey, whichever client they would take by default.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import limits
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from throttled.asyncio import RateLimiterType, RedisStore, Throttled
from valkey.asyncio import Valkey

from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.valkey import PREFIX, ValkeyStore
from garrison.ratelimit.valkey_script import SCRIPT, words_of

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Quota

# Asks once for a key.
Ask: TypeAlias = Callable[[str], Awaitable[object]]

QUOTA: Final = "1000000/day"
QUOTAS: Final[tuple[Quota, ...]] = parse_quotas(QUOTA)
BARE: Final = "bare EVALSHA through valkey-py"
GARRISON: Final = "Garrison, token bucket"

# throttled-py takes the classes of redis-py unless told otherwise.
CLIENT: Final = {
    "REDIS_CLIENT_CLASS": "valkey.asyncio.Valkey",
    "CONNECTION_POOL_CLASS": "valkey.asyncio.ConnectionPool",
    "PARSER_CLASS": "valkey.asyncio.connection.DefaultParser",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One way to ask.

    Attributes:
        name: as the table shows it.
        ask: asks once for a key.
        close: lets go of its connections.
    """

    name: str
    ask: Ask
    close: Callable[[], Awaitable[None]]


async def callers(url: str) -> list[Caller]:
    """Every way to ask, the bare one first and Garrison's second.

    Args:
        url: of the server.
    """
    return [await _bare(url), _garrison(url), *_limits(url), _throttled(url)]


async def _bare(url: str) -> Caller:
    """Garrison's own script, with nothing around it."""
    client, words = Valkey.from_url(url), words_of(QUOTAS)
    digest = await client.script_load(SCRIPT)

    async def ask(key: str) -> object:
        return await client.evalsha(digest, 1, f"{PREFIX}bare {key}", "1", *words, "1", "1")

    return Caller(name=BARE, ask=ask, close=client.aclose)


def _garrison(url: str) -> Caller:
    store = ValkeyStore(url)

    async def ask(key: str) -> object:
        return await store.acquire(key, QUOTAS)

    return Caller(name=GARRISON, ask=ask, close=store.aclose)


def _limits(url: str) -> list[Caller]:
    """Its fixed window, which is its cheapest; what is left of a quota takes a second question."""
    storage, item = RedisStorage(f"async+{url}"), limits.parse(QUOTA)
    limiter = FixedWindowRateLimiter(storage)
    client: Valkey = storage.bridge.storage  # type: ignore[attr-defined] # it has no way to close it

    async def hit(key: str) -> object:
        return await limiter.hit(item, key)

    async def hit_and_stats(key: str) -> object:
        await limiter.hit(item, key)
        return await limiter.get_window_stats(item, key)

    async def nothing() -> None:
        """The other one closes what both use."""

    return [
        Caller(name="limits, hit", ask=hit, close=client.aclose),
        Caller(name="limits, hit and stats", ask=hit_and_stats, close=nothing),
    ]


def _throttled(url: str) -> Caller:
    store = RedisStore(server=url, options=CLIENT)
    limiter = Throttled(using=RateLimiterType.GCRA.value, quota=QUOTA, store=store)
    # It has no way to close it, and its type is of what all clients have in common.
    client = cast("Valkey", store._backend.get_client())  # noqa: SLF001

    return Caller(name="throttled-py, GCRA", ask=limiter.limit, close=client.aclose)
