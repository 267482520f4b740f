"""Any storage of the `limits` package can keep the counts, as exactly as it is able to."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from typing import TYPE_CHECKING

import pytest

from garrison.ratelimit.limits_store import LimitsStore
from garrison.ratelimit.quota import Algorithm, parse_quotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.rules import NotationError
from tests.missing import do_without
from tests.ports import free_port
from tests.toolkit.ratelimit.servers import MEMCACHED, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ALGORITHMS: tuple[Algorithm, ...] = ("sliding-window", "fixed-window")


@pytest.fixture(scope="module")
def memcached() -> Iterator[str]:
    """The URI of a memcached."""
    if MEMCACHED is None:
        do_without("memcached is missing: apt-get install memcached")
    if importlib.util.find_spec("memcachio") is None:
        do_without("memcachio is missing: pip install 'limits[async-memcached]'")
    options = ("-l", "127.0.0.1", "-p", "{port}", "-U", "0", "-u", "nobody")
    with Server(MEMCACHED, quiet=options) as server:
        yield f"memcached://127.0.0.1:{server.port}"


@pytest.fixture(params=["async+memory://", "memcached"])
def uri(request: pytest.FixtureRequest) -> str:
    """The storage of a process, and a memcached."""
    if request.param == "memcached":
        found: str = request.getfixturevalue("memcached")
        return found
    return str(request.param)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_counts_all_quotas_of_a_request(uri: str, algorithm: Algorithm) -> None:
    """A request that one quota refuses takes nothing from the other, and says which it was."""
    quotas = parse_quotas("3/hour; 5/day", algorithm)

    async def ask() -> None:
        store = LimitsStore(uri, algorithm)
        found = [await store.acquire("a", quotas) for _ in range(5)]
        assert [decision.allowed for decision in found] == [True] * 3 + [False] * 2
        assert found[-1].refused_by == quotas[:1]
        assert [standing.remaining for standing in found[-1].standings] == [0, 2]
        assert [standing.quota for standing in found[-1].standings] == list(quotas)
        assert 0 < found[-1].retry_after <= 2 * 3600
        assert (await store.acquire("b", quotas)).allowed
        assert not (await store.standing("a", quotas)).allowed
        assert (await store.standing("c", quotas)).standings[0].remaining == 3
        assert (await store.reset("a", quotas), await store.reset("a", quotas)) == (True, False)
        assert (await store.acquire("a", quotas)).allowed
        await store.aclose()

    asyncio.run(ask())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_client_that_waits_as_told_is_admitted(uri: str, algorithm: Algorithm) -> None:
    """What the store says about the next try is true, also right after a burst."""
    quotas = parse_quotas("4 per 2 seconds", algorithm)

    async def obey() -> None:
        store = LimitsStore(uri, algorithm)
        while (await store.acquire("patient", quotas)).allowed:
            pass
        for _ in range(2):
            refused = await store.acquire("patient", quotas)
            if refused.allowed:
                continue
            assert refused.standings[0].more_after <= refused.standings[0].reset_after + 0.002
            await asyncio.sleep(refused.retry_after)
            assert (await store.acquire("patient", quotas)).allowed
        await store.aclose()

    asyncio.run(obey())


def test_a_cost_counts_in_units(uri: str) -> None:
    """Costly requests take more, refused ones nothing, and one above the limit is never admitted."""
    quotas = parse_quotas("5/hour", "fixed-window")

    async def ask() -> list[bool]:
        store = LimitsStore(uri, "fixed-window")
        found = [(await store.acquire("costly", quotas, cost)).allowed for cost in (3, 3, 1, 1)]
        never = await store.acquire("costly", quotas, 6)
        assert (never.allowed, never.retry_after) == (False, 3600)
        await store.refund("costly", quotas, 3)
        with pytest.raises(ValueError, match="a cost of at least 1, not 0"):
            await store.acquire("costly", quotas, 0)
        found.append((await store.acquire("costly", quotas)).allowed)
        await store.aclose()
        return found

    # Nothing can be given back to these storages.
    assert asyncio.run(ask()) == [True, False, True, True, False]


def test_forgives_whom_another_process_counted(memcached: str) -> None:
    """A store that was never asked about a client can forget it, of the quotas that it is told."""
    quotas = parse_quotas("1/hour; 5/day", "fixed-window")

    async def ask() -> list[bool]:
        store, operator = (LimitsStore(memcached, "fixed-window") for _ in range(2))
        found = [(await store.acquire("forgiven", quotas)).allowed for _ in range(2)]
        found += [await operator.reset("forgiven", quotas), await operator.reset("forgiven", quotas)]
        found.append((await store.acquire("forgiven", quotas)).allowed)
        await store.aclose()
        await operator.aclose()
        return found

    assert asyncio.run(ask()) == [True, False, True, False, True]


def test_takes_keys_that_the_storage_would_not(uri: str) -> None:
    """Keys with spaces, of any length and in any script are clients of their own."""
    quotas = parse_quotas("1/hour", "fixed-window")
    keys = ["a b", "a/b", "a\n", "é" * 300, "é" * 301, "", "\udc80", "#"]

    async def ask() -> list[bool]:
        store = LimitsStore(uri, "fixed-window")
        found = [(await store.acquire(key, quotas)).allowed for key in keys * 2]
        await store.aclose()
        return found

    assert asyncio.run(ask()) == [True] * len(keys) + [False] * len(keys)


def test_names_the_algorithms_that_a_storage_has() -> None:
    """An algorithm that `limits` lacks is an error when the store is made, with what fits."""
    with pytest.raises(NotationError) as caught:
        LimitsStore("async+memory://", "token-bucket")
    expected = "one of the algorithms that memory has: sliding-window, fixed-window"
    assert (caught.value.expected, caught.value.found) == (expected, "token-bucket")


def test_quotas_have_the_algorithm_of_the_store() -> None:
    """A quota with another algorithm is a mistake that is not counted in some other way."""

    async def ask() -> None:
        store = LimitsStore("async+memory://", "fixed-window")
        with pytest.raises(ValueError, match="quotas of the algorithm fixed-window, not token-bucket"):
            await store.acquire("a", parse_quotas("5/minute"))

    asyncio.run(ask())


@pytest.mark.parametrize("uri", ["nothing://host", "memcached", "async+sqlite://"])
def test_refuses_a_uri_that_limits_does_not_know(uri: str) -> None:
    """A storage that does not exist fails when the store is made, and says what fits."""
    with pytest.raises(NotationError, match="the URI of an async storage of the limits package"):
        LimitsStore(uri, "fixed-window")


def test_calls_a_storage_as_it_was_written() -> None:
    """Whoever wrote no `async+` does not have to find out where it comes from."""
    with pytest.raises(NotationError) as error:
        LimitsStore("nothing://host", "fixed-window")
    assert "async+" not in str(error.value)
    assert "(unknown storage scheme : nothing://host)" in str(error.value)
    assert LimitsStore("memory://x", "fixed-window").name == "memory://x"
    assert LimitsStore("async+memory://", "fixed-window").name == "async+memory://"


def test_lets_go_of_its_connections(memcached: str) -> None:
    """Once it is closed there is no connection left at the server, while the loop goes on."""

    def connections() -> int:
        with socket.create_connection(("127.0.0.1", int(memcached.rpartition(":")[2])), 5) as asking:
            asking.sendall(b"stats\r\n")
            reply = b""
            while not reply.endswith(b"END\r\n"):
                reply += asking.recv(65536)
        found = dict(line.split()[1:3] for line in reply.splitlines() if line.startswith(b"STAT"))
        return int(found[b"curr_connections"])

    async def ask() -> tuple[int, int]:
        store = LimitsStore(memcached, "fixed-window")
        before = connections()
        await store.acquire("a", parse_quotas("5/minute", "fixed-window"))
        during = connections() - before
        # Nothing is left to the garbage collector.
        kept = store._limiters[asyncio.get_running_loop()]
        await store.aclose()
        assert kept.storage is not None
        # The server may count for a while the connection that asked it before.
        for _ in range(500):
            after = connections() - before
            if not after:
                break
            await asyncio.sleep(0.01)
        del kept
        return during, after

    during, after = asyncio.run(ask())
    assert during >= 1
    assert after == 0


@pytest.mark.parametrize("uri", ["memcached://me:s3c/ret@host", "memcached://me:s3c?ret@host"])
def test_shows_no_password_that_makes_a_uri_wrong(uri: str) -> None:
    """A password with a letter that a URI does not take is in no message, nor is a part of it."""
    with pytest.raises(NotationError) as caught:
        LimitsStore(uri, "fixed-window")
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize(
    ("algorithm", "fits", "too_long", "most"),
    [("fixed-window", "2/month", "2/year", 30), ("sliding-window", "2/15 days", "2/month", 15)],
)
def test_memcached_has_no_quota_that_it_would_forget(
    memcached: str, algorithm: Algorithm, fits: str, too_long: str, most: int
) -> None:
    """What memcached takes for a date in the past is refused, and not a quota that never ends."""

    async def ask() -> None:
        store = LimitsStore(memcached, algorithm)
        quotas = parse_quotas(fits, algorithm)
        assert [(await store.acquire("long", quotas)).allowed for _ in range(3)] == [True, True, False]
        with pytest.raises(ValueError, match=f"^quotas of at most {most} days at "):
            await store.acquire("long", parse_quotas(too_long, algorithm))
        await store.aclose()

    asyncio.run(ask())


def test_a_storage_that_is_gone_is_unavailable(memcached: str) -> None:
    """A memcached that does not listen is an error that says nothing about the client, with its name."""
    gone = memcached.replace(memcached.rpartition(":")[2], str(free_port()))

    async def ask() -> None:
        store = LimitsStore(gone, "fixed-window")
        with pytest.raises(StoreUnavailableError, match=r"^memcached://127\.0\.0\.1"):
            await store.acquire("a", parse_quotas("5/minute", "fixed-window"))
        await store.aclose()

    asyncio.run(ask())
