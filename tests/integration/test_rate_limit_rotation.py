"""A client that is limited stays so, whatever it makes up."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from garrison import Proxy, RateLimit, RateLimitMiddleware, Settings, harden
from garrison.units import Secret
from tests.integration.lifespan import alive, plain
from tests.toolkit.driver import exchange, http_scope
from tests.toolkit.ratelimit.servers import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from garrison.asgi import ASGIApp, Scope

REQUESTS = 1_000_000 if os.environ.get("PROOF") == "1" else 10_000
QUOTA = 5
# The proof takes minutes, which must not refill a bucket.
LIMITS = f"/api/*: {QUOTA}/day"
WITH_HEADER = f"{LIMITS}; /api/*: {QUOTA}/day by header:x-api-key"
SECRET = Secret("what processes that share counts agree on")
AT_ONCE = 500


def forwarded(number: int) -> Scope:
    """Another client by every header that proxies write, from a peer that is no proxy of ours."""
    junk = f"198.18.{number >> 8 & 255}.{number & 255}, 10.0.0.1".encode()
    names = (b"x-forwarded-for", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip", b"x-client-ip")
    lines = [*((name, junk) for name in names), (b"forwarded", b"for=%s" % junk.partition(b",")[0])]
    return http_scope("/api/items", headers=lines)


def identified(number: int) -> Scope:
    """Another key, token, session and browser."""
    junk = b"junk-%d" % number
    lines = [
        (b"x-api-key", junk), (b"authorization", b"Bearer " + junk), (b"cookie", b"session=" + junk),
        (b"user-agent", junk), (b"x-request-id", b"%032x" % number), (b"host", junk + b".example"),
    ]  # fmt: skip
    return http_scope("/api/items", headers=lines, client=("192.0.2.1", 1024 + number % 60_000))


def asked(number: int) -> Scope:
    """Another query."""
    return http_scope("/api/items", query=b"page=%d" % number)


def addressed(number: int) -> Scope:
    """Another address of the one /64 that a client has."""
    parts = (number >> 32 & 65535, number >> 16 & 65535, number & 65535)
    return http_scope("/api/items", client=("2001:db8:0:1:a:{:x}:{:x}:{:x}".format(*parts), 50_000))


def pathed(number: int) -> Scope:
    """Another path of the same rule, where the app would answer 404."""
    return http_scope(f"/api/{number}/..;/%2e{number}")


WAYS = (forwarded, identified, asked, addressed, pathed)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A Valkey for all tests of this module."""
    with Server() as found:
        yield found


def stack(storage: str, limits: str) -> ASGIApp:
    """Every layer but the log of each request, behind proxies that the client is none of.

    Nor is there one that sheds load: so many requests at once in one process are a load, and the answer of
    the store to all of them is waited for as long as may be.
    """
    quota = RateLimit(limits=limits, storage=storage, on_storage_error="closed", deadline=10.0)
    settings = Settings(
        rate_limit=quota,
        proxy=Proxy(trusted=(ip_network("10.0.0.0/8"),)),
        access_log=None,
        overload=None,
        secret=SECRET,
    )
    return harden(plain, settings)


async def served(app: ASGIApp, scopes: Iterable[Scope]) -> Counter[int]:
    """How many replies had which status, with many requests under way at any moment."""
    found: Counter[int] = Counter()
    left = iter(scopes)

    async def ask() -> None:
        for scope in left:
            found[(await exchange(app, scope)).status] += 1
            # As between two requests of a server: a refusal that is known already waits for nothing.
            await asyncio.sleep(0)

    async with alive(app):
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("storage", ["memory", "valkey"])
def test_what_a_client_makes_up_gets_it_nothing(
    server: Server, storage: str, way: Callable[[int], Scope]
) -> None:
    """Its quota is all that it is served, however many values it rotates."""
    server.call("FLUSHALL")
    count = REQUESTS // len(WAYS)
    limits = WITH_HEADER if way is identified else LIMITS
    app = stack(server.url if storage == "valkey" else "memory://", limits)
    assert asyncio.run(served(app, map(way, range(count)))) == {200: QUOTA, 429: count - QUOTA}


@pytest.mark.timeout(300)
def test_made_up_networks_make_nobody_forgotten() -> None:
    """Whatever number of /64s somebody makes up, memory of a tenth of them knows who has spent a quota."""
    app = RateLimitMiddleware(plain, RateLimit(limits=LIMITS, max_clients=REQUESTS // 10))
    rounds = 20

    def networks(turn: int) -> Iterator[Scope]:
        for number in range(turn * REQUESTS // rounds, (turn + 1) * REQUESTS // rounds):
            # Every other one comes again, and so is no longer among those that may be forgotten.
            for _ in range(1 + number % 2):
                address = f"2001:db8:{number >> 16:x}:{number & 65535:x}::1"
                yield http_scope("/api/items", client=(address, 50_000))

    async def ask() -> list[int]:
        async with alive(app):
            statuses = [(await exchange(app, http_scope("/api/items"))).status for _ in range(QUOTA)]
            for turn in range(rounds):
                for scope in networks(turn):
                    await exchange(app, scope)
                statuses.append((await exchange(app, http_scope("/api/items"))).status)
        return statuses

    assert asyncio.run(ask()) == [200] * QUOTA + [429] * rounds
