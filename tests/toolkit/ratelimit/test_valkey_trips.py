"""Decisions travel together, over few connections, and survive what happens to servers, callers and loops."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from garrison.ratelimit.quota import parse_quotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey import ValkeyStore
from tests.toolkit.ratelimit.servers import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.ratelimit.quota import Decision

QUOTAS = parse_quotas("100/minute", "fixed-window")
MANY = parse_quotas("1000000/minute; 1000000/hour")
# What a loop leaves open that was closed without closing the store.
LEFT_OPEN = ("ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning")


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server for all tests of this module."""
    with Server() as found:
        yield found


@pytest.fixture
def server(running: Server) -> Server:
    """That server, without anything in it."""
    running.call("FLUSHALL")
    running.call("CONFIG", "RESETSTAT")
    return running


async def burst(store: ValkeyStore, count: int, key: str = "a") -> list[Decision | BaseException]:
    """So many decisions at the same moment."""
    return await asyncio.gather(*(store.acquire(key, QUOTAS) for _ in range(count)), return_exceptions=True)


def admitted(found: list[Decision | BaseException]) -> int:
    """How many were allowed, where none failed."""
    assert not [one for one in found if isinstance(one, BaseException)]
    return sum(one.allowed for one in found if not isinstance(one, BaseException))


def test_a_thousand_decisions_share_a_connection_and_a_few_trips(server: Server) -> None:
    """A thousand requests at once are decided exactly, with one connection and eight round trips."""
    before = server.connections()

    async def ask() -> tuple[int, int]:
        store = ValkeyStore(server.url)
        found = admitted(await burst(store, 1000))
        connections = server.connections()
        await store.aclose()
        return found, connections

    assert asyncio.run(ask()) == (100, before + 1)
    # One more puts the script into the server's cache.
    assert server.calls("evalsha") + server.calls("eval") <= 9


def test_a_thousand_clients_share_two_connections(server: Server) -> None:
    """A thousand clients at once are decided over two connections, in a few round trips."""
    before = server.connections()

    async def ask() -> tuple[int, int]:
        store = ValkeyStore(server.url)
        found = await asyncio.gather(*(store.acquire(f"k{number}", QUOTAS) for number in range(1000)))
        connections = server.connections()
        await store.aclose()
        return sum(decision.allowed for decision in found), connections

    assert asyncio.run(ask()) == (1000, before + 2)
    assert server.calls("evalsha") + server.calls("eval") <= 12


def test_first_come_is_first_served(server: Server) -> None:
    """Of one client's requests at the same moment those that came first are admitted."""

    async def ask() -> list[bool]:
        store = ValkeyStore(server.url)
        found = [
            decision.allowed
            for decision in await burst(store, 200)
            if not isinstance(decision, BaseException)
        ]
        await store.aclose()
        return found

    assert asyncio.run(ask()) == [True] * 100 + [False] * 100


def test_what_is_asked_during_a_trip_goes_with_the_next(server: Server) -> None:
    """Requests that come one by one while the server is busy share a round trip too."""

    async def ask() -> None:
        store = ValkeyStore(server.url)
        await store.acquire("a", QUOTAS)
        server.call("CONFIG", "RESETSTAT")
        server.freeze()
        tasks = set()
        for _ in range(20):
            tasks.add(asyncio.create_task(store.acquire("a", QUOTAS)))
            await asyncio.sleep(0.001)
        server.thaw()
        await asyncio.gather(*tasks)
        await store.aclose()

    asyncio.run(ask())
    assert server.calls("evalsha") == 2


def test_a_cancelled_caller_leaves_the_others_alone(server: Server) -> None:
    """Callers that are cancelled anywhere, again and again, cost nobody else a decision or an error."""

    async def ask() -> list[Decision | BaseException]:
        store = ValkeyStore(server.url)
        kept = []
        for number in range(60):
            tasks = [asyncio.create_task(store.acquire(f"k{one}", MANY)) for one in range(20)]
            for _ in range(number % 6):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0001 * (number % 10))
            for task in tasks[::2]:
                task.cancel()
            kept += await asyncio.gather(*tasks[1::2], return_exceptions=True)
            # Meanwhile, since a count that is whole again is forgotten.
            sizes.append(server.call("DBSIZE"))
        await store.aclose()
        return kept

    sizes: list[int] = []
    assert admitted(asyncio.run(ask())) == 600
    assert max(sizes) > 0
    assert server.immortal() == []


def test_who_is_cancelled_in_the_queue_takes_nothing(server: Server) -> None:
    """Requests that were given up before they were sent do not count once the server answers again."""

    async def ask() -> int:
        store = ValkeyStore(server.url)
        await store.acquire("a", QUOTAS)
        server.freeze()
        under_way = asyncio.create_task(store.acquire("a", QUOTAS))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(store.acquire("a", QUOTAS)) for _ in range(50)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        server.thaw()
        await under_way
        standing = await store.standing("a", QUOTAS)
        await store.aclose()
        return standing.standings[0].remaining

    assert asyncio.run(ask()) == 98


def test_a_flush_of_scripts_goes_unnoticed(server: Server) -> None:
    """SCRIPT FLUSH in the middle of load fails no decision and loses no count."""

    async def ask() -> int:
        store = ValkeyStore(server.url)
        found: list[Decision | BaseException] = []
        for _ in range(10):
            server.call("SCRIPT", "FLUSH")
            found += await burst(store, 15)
        await store.aclose()
        return admitted(found)

    assert asyncio.run(ask()) == 100


def test_a_restart_between_decisions_goes_unnoticed(server: Server) -> None:
    """A server that was restarted while nobody asked is connected to again, and counts anew."""

    async def ask() -> list[int]:
        store = ValkeyStore(server.url)
        found = []
        for _ in range(3):
            decision = await store.acquire("a", QUOTAS)
            found.append(decision.standings[0].remaining)
            server.restart()
        await store.aclose()
        return found

    assert asyncio.run(ask()) == [99, 99, 99]


def test_a_server_that_is_gone_is_an_error_at_once_and_found_again(server: Server) -> None:
    """While a server is down decisions say so, without the password, and it is used when it is up again."""

    async def ask() -> tuple[str, bool]:
        store = ValkeyStore(server.url.replace("//", "//:secret@"))
        server.kill()
        with pytest.raises(StoreUnavailableError) as caught:
            await store.acquire("a", QUOTAS)
        with pytest.raises(StoreUnavailableError):
            await store.refund("a", QUOTAS)
        server.start()
        server.call("CONFIG", "SET", "requirepass", "secret")
        again = (await store.acquire("a", QUOTAS)).allowed
        await store.acquire("a", QUOTAS)
        await store.aclose()
        return str(caught.value), again

    message, again = asyncio.run(ask())
    server.restart()
    assert again
    assert message.startswith(f"valkey://127.0.0.1:{server.port}: ")
    assert "Connect call failed" in message
    assert "secret" not in message


def test_a_trip_to_a_frozen_server_is_given_up(server: Server) -> None:
    """A server that says nothing fails decisions in time, and its late reply meets nobody."""

    async def ask() -> tuple[float, list[Decision | BaseException]]:
        store = ValkeyStore(server.url, timeout=0.1)
        await store.acquire("b", QUOTAS)
        server.freeze()
        began = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailableError, match=r"no answer within 0\.1 s"):
            await store.acquire("b", QUOTAS)
        took = asyncio.get_running_loop().time() - began
        server.thaw()
        found = await burst(store, 120)
        await store.aclose()
        return took, found

    took, found = asyncio.run(ask())
    # It is thawed only after it was given up.
    assert took >= 0.1
    assert admitted(found) == 100


@pytest.mark.parametrize("turns", range(2, 7))
def test_a_reply_that_is_there_wins_over_a_loop_that_was_held_up(server: Server, turns: int) -> None:
    """An app that holds up its event loop for longer than a trip may take gets its answers all the same."""

    async def ask() -> list[Decision | BaseException]:
        store = ValkeyStore(server.url, timeout=0.1)
        await store.acquire("a", QUOTAS)
        asks = [asyncio.create_task(store.acquire("a", QUOTAS)) for _ in range(5)]
        # In one of these turns the question is sent and the reply not read yet.
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - that is the point
        found = await asyncio.gather(*asks, return_exceptions=True)
        await store.aclose()
        return found

    assert admitted(asyncio.run(ask())) == 5


def test_closing_answers_what_waits(server: Server) -> None:
    """Decisions that wait when the store is closed end with an error, and not as cancelled."""

    async def ask() -> list[str]:
        store = ValkeyStore(server.url)
        await store.acquire("a", QUOTAS)
        server.freeze()
        tasks = [asyncio.create_task(store.acquire("a", QUOTAS)) for _ in range(300)]
        await asyncio.sleep(0.01)
        await store.aclose()
        server.thaw()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return sorted({str(one).partition(": ")[2] for one in found})

    assert asyncio.run(ask()) == ["the store was closed"]


@pytest.mark.filterwarnings(*LEFT_OPEN)
def test_one_store_serves_one_loop_after_the_other(server: Server) -> None:
    """A store that was made at import works in each event loop, whether or not the last one closed it."""
    store = ValkeyStore(server.url)
    assert [admitted(asyncio.run(burst(store, 30))) for _ in range(4)] == [30, 30, 30, 10]
    assert len(store._coalescers) == 1
    del store
    gc.collect()


def test_one_store_serves_several_loops_at_once(server: Server) -> None:
    """Threads with an event loop each share the store, and none disturbs another's connection."""
    store = ValkeyStore(server.url)
    counts: list[int] = []

    async def ask() -> None:
        counts.extend([admitted(await burst(store, 10)) for _ in range(10)])
        await store.aclose()

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 100
    assert len(counts) == 40


def test_a_forked_worker_has_a_connection_of_its_own(server: Server) -> None:
    """A store that was used before a fork works in parent and child, each with its own replies."""
    store = ValkeyStore(server.url)
    with asyncio.Runner() as runner:
        first = admitted(runner.run(burst(store, 10)))
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            found = -1
            try:
                found = admitted(asyncio.run(burst(store, 40)))
            finally:
                os.write(writing, str(found).encode())
                os._exit(0)
        second = admitted(runner.run(burst(store, 40)))
        wait_until(lambda: os.waitpid(child, os.WNOHANG)[0])
        third = int(os.read(reading, 10))
        os.close(reading)
        os.close(writing)
        last = admitted(runner.run(burst(store, 40)))
        runner.run(store.aclose())
    assert (first, second, third, last) == (10, 40, 40, 10)
