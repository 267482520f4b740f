"""When the store is slow or gone, requests neither wait for it nor fail with it."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from garrison.events import event_log
from garrison.ratelimit.deadlines import BEATS
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Part, parse_quotas
from garrison.ratelimit.resilient import OnError, ResilientStore
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey import ValkeyStore
from tests.toolkit.ratelimit.servers import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.ratelimit.quota import Decision, Quota

QUOTAS = parse_quotas("100/minute", "fixed-window")
MANY = parse_quotas("1000000/minute", "fixed-window")
# Seconds; a deadline for tests that are not about it, on a machine on which the server may be kept waiting.
PATIENT = 5.0


class Scene:
    """A store that survives, its server, and a clock for its breaker that the test moves.

    Attributes:
        server: the server.
        now: seconds by the breaker's clock.
        store: the store under test.
    """

    def __init__(
        self,
        server: Server,
        on_error: OnError = "memory",
        *,
        workers: int = 1,
        deadline: float = 0.025,
        port: int | None = None,
    ) -> None:
        self.server = server
        self.now = 0.0
        self._log = io.StringIO()
        direct = ValkeyStore(f"valkey://127.0.0.1:{port or server.port}")
        self.store = ResilientStore(
            direct,
            MemoryStore(),
            deadline=deadline,
            on_error=on_error,
            workers=workers,
            name=direct.name,
            log=event_log(stream=self._log),
            clock=lambda: self.now,
            pause=0.01,
        )

    async def ask(self, quotas: tuple[Quota, ...] = QUOTAS, cost: int = 1) -> Decision:
        """One request, after a moment of the breaker's clock."""
        self.now += 0.001
        return await self.store.acquire("a", quotas, cost)

    async def fail(self) -> None:
        """Ask until the store is known to fail."""
        for _ in range(10):
            if self.store.failing:
                return
            with suppress(StoreUnavailableError):
                await self.ask()
        pytest.fail("the store still answers")

    async def recover(self) -> None:
        """Wait until the store is known to answer; nobody asks it."""
        for _ in range(500):
            await asyncio.sleep(0.01)
            if not self.store.failing:
                return
        pytest.fail("the store still fails")

    def events(self) -> list[dict[str, object]]:
        """What was logged, without the times of day."""
        found = [json.loads(line) for line in self._log.getvalue().splitlines()]
        return [{name: value for name, value in event.items() if name != "timestamp"} for event in found]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server for all tests of this module."""
    with Server() as found:
        yield found


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """That server, without anything in it; whatever the test does to it is undone."""
    running.call("FLUSHALL")
    yield running
    if running._process is None:
        running.start()
    running.thaw()


async def latency(store: ResilientStore, count: int) -> list[float]:
    """How long each of so many requests in a row waited, in seconds."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await store.acquire("a", MANY)
        found.append(time.perf_counter() - began)
    return found


def test_asks_the_store_while_it_answers(server: Server) -> None:
    """As long as the store answers, its decisions are what counts, and nothing is logged."""

    async def run() -> None:
        scene = Scene(server, deadline=PATIENT)
        found = [(await scene.ask()).allowed for _ in range(101)]
        await scene.store.refund("a", QUOTAS, 5)
        assert (await scene.store.standing("a", QUOTAS)).standings[0].remaining == 5
        assert await scene.store.reset("a", QUOTAS)
        await scene.store.aclose()
        assert found == [True] * 100 + [False]
        assert scene.events() == []
        assert (scene.store.counts.answered, scene.store.counts.failed) == (102, 0)

    asyncio.run(run())


async def outage(server: Server) -> tuple[list[float], list[float]]:
    """How long requests wait for a frozen server, before and after it is known to be."""
    store = ResilientStore(ValkeyStore(server.url), MemoryStore(), log=event_log(stream=io.StringIO()))
    await latency(store, 50)
    server.freeze()
    before = []
    while not store.failing:
        before += await latency(store, 1)
    # Others are served while many requests are.
    after = []
    for _ in range(100):
        after += await latency(store, 10)
        await asyncio.sleep(0)
    server.thaw()
    await store.aclose()
    return before, after


def test_a_frozen_store_costs_a_deadline_and_then_nothing(server: Server) -> None:
    """With a frozen server three requests wait for a deadline of 25 ms, and later ones for none."""
    before, after = asyncio.run(outage(server))
    assert len(before) == 3
    assert min(before) >= 0.02
    assert sorted(after)[990] < 0.02


def test_a_store_that_is_gone_is_answered_for_at_once(server: Server) -> None:
    """With nobody listening, requests are decided in memory: a whole burst, and none above the quota."""

    async def run() -> None:
        scene = Scene(server)
        server.kill()
        found = await asyncio.gather(*(scene.store.acquire("a", QUOTAS) for _ in range(300)))
        await scene.fail()
        await scene.store.aclose()
        assert sum(decision.allowed for decision in found) == 100
        event = scene.events()[0]
        assert "Connect call failed" in str(event.pop("reason"))
        assert event == {
            "level": "error",
            "event": "rate_limit_store",
            "store": f"valkey://127.0.0.1:{server.port}",
            "state": "failing",
            "on_error": "memory",
        }

    asyncio.run(run())


def test_a_lost_round_trip_counts_once(server: Server) -> None:
    """One hiccup fails hundreds of decisions and does not make the store one that is not asked."""

    async def run() -> None:
        scene = Scene(server, deadline=0.05)
        await scene.ask(MANY)
        server.freeze()
        waiting = [asyncio.create_task(scene.store.acquire(str(one), MANY)) for one in range(200)]
        await asyncio.sleep(0.01)
        waiting += [asyncio.create_task(scene.store.acquire(str(one), MANY)) for one in range(200)]
        await asyncio.gather(*waiting)
        assert scene.store.counts.failed == 400
        assert not scene.store.failing
        server.thaw()
        await asyncio.sleep(0.05)
        assert (await scene.ask(MANY)).allowed
        await scene.store.aclose()
        assert scene.store.counts.answered == 2
        assert scene.events() == []

    asyncio.run(run())


def test_each_change_of_state_is_one_event(server: Server) -> None:
    """However many requests there are, an outage is an event when it begins and one when it ends."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask()
        server.freeze()
        await scene.fail()
        for _ in range(50):
            await scene.ask()
        scene.now += 30
        server.thaw()
        await scene.recover()
        await scene.ask()
        await scene.store.aclose()
        failing, answering = scene.events()
        assert (failing["state"], failing["reason"]) == ("failing", "no answer within 25 ms")
        assert (answering["level"], answering["state"]) == ("info", "answering")
        assert isinstance(answering["seconds"], float)
        assert answering["seconds"] >= 30
        assert scene.store.counts.opened == 1
        assert scene.store.counts.bypassed >= 50

    asyncio.run(run())


def test_a_store_that_is_back_is_found_without_a_request(server: Server) -> None:
    """An idle worker finds the store well by itself, so that the first request afterwards is the store's."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask()
        server.freeze()
        await scene.fail()
        await asyncio.sleep(0.05)
        assert scene.store.failing
        server.thaw()
        await scene.recover()
        bypassed = scene.store.counts.bypassed
        await scene.ask()
        assert scene.store.counts.bypassed == bypassed == 0
        await scene.store.aclose()
        assert [event["state"] for event in scene.events()] == ["failing", "answering"]

    asyncio.run(run())


def test_nobody_waits_for_a_probe(server: Server) -> None:
    """While the store is frozen, requests at which a probe is due are as quick as the others."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask(MANY)
        server.freeze()
        await scene.fail()
        took = []
        for _ in range(6):
            await asyncio.sleep(0.02)
            began = time.perf_counter()
            for _ in range(20):
                await scene.ask(MANY)
            took.append(time.perf_counter() - began)
            names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()]
            assert names.count("ResilientStore._is_well") <= 1
        # Each round would wait for the deadline of the probe that is due in it.
        assert min(took) < 0.02
        assert scene.store.failing
        await scene.store.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(("workers", "share"), [(1, 100), (4, 25), (3, 33), (500, 1)])
def test_each_worker_decides_about_its_share(server: Server, workers: int, share: int) -> None:
    """Without the store the workers together admit no more than the quota, and each at least one request."""

    async def run() -> None:
        scene = Scene(server, workers=workers)
        server.kill()
        found = [await scene.ask() for _ in range(110)]
        await scene.store.aclose()
        assert sum(decision.allowed for decision in found) == share
        # What headers say names the quota that was asked for.
        assert {standing.quota for decision in found for standing in decision.standings} == set(QUOTAS)
        assert found[-1].refused_by == QUOTAS

    asyncio.run(run())


def test_a_share_bears_a_cost_that_the_quota_bears(server: Server) -> None:
    """A request that costs more than a worker's share takes all of it; a refund gives it back."""

    async def run() -> list[bool]:
        scene = Scene(server, workers=4)
        server.kill()
        await scene.fail()
        # What the quota as a whole would not bear is not made bearable.
        assert not (await scene.store.acquire("b", QUOTAS, 101)).allowed
        found = [(await scene.store.acquire("b", QUOTAS, 60)).allowed for _ in range(2)]
        await scene.store.refund("b", QUOTAS, 60)
        found.append((await scene.store.acquire("b", QUOTAS, 60)).allowed)
        standing = await scene.store.standing("b", QUOTAS)
        found.append(standing.allowed)
        await scene.store.aclose()
        return found

    assert asyncio.run(run()) == [True, False, True, False]


@pytest.mark.parametrize(("workers", "share"), [(1, 40), (4, 10)])
def test_requests_about_several_keys_are_decided_without_the_store(
    server: Server, workers: int, share: int
) -> None:
    """In an outage too all parts are taken or none, each of a worker's share, and looks take nothing."""
    small = parse_quotas("40/minute", "fixed-window")
    parts = (Part("b", QUOTAS), Part("account", small), Part("blocked", QUOTAS, 0))

    async def run() -> None:
        scene = Scene(server, workers=workers)
        assert (await scene.store.acquire_all(parts)).allowed
        server.kill()
        await scene.fail()
        found = [await scene.store.acquire_all(parts) for _ in range(50)]
        await scene.store.aclose()
        assert sum(decision.allowed for decision in found) == share
        assert {decision.refused_by for decision in found} == {(), small}
        left = [standing.remaining for standing in found[-1].standings]
        assert left == [100 // workers - share, 0, 100 // workers]
        # What headers say names the quotas that were asked for.
        assert [standing.quota for standing in found[-1].standings] == [*QUOTAS, *small, *QUOTAS]

    asyncio.run(run())


def test_open_lets_everybody_pass(server: Server) -> None:
    """Where availability is worth more than the quota, an outage admits everybody."""

    async def run() -> None:
        scene = Scene(server, "open")
        server.kill()
        for _ in range(150):
            decision = await scene.ask()
            assert decision.allowed
            assert decision.standings == ()
        assert (await scene.store.standing("a", QUOTAS)).allowed
        assert (await scene.store.acquire_all((Part("a", QUOTAS), Part("b", MANY)))).allowed
        await scene.store.refund("a", QUOTAS)
        await scene.store.aclose()

    asyncio.run(run())


def test_closed_says_that_nothing_is_known(server: Server) -> None:
    """Where the quota is worth more than availability, an outage is an error."""

    async def run() -> None:
        scene = Scene(server, "closed")
        server.kill()
        for _ in range(10):
            with pytest.raises(StoreUnavailableError, match="does not answer"):
                await scene.ask()
        with pytest.raises(StoreUnavailableError):
            await scene.store.standing("a", QUOTAS)
        with pytest.raises(StoreUnavailableError, match="does not answer"):
            await scene.store.acquire_all((Part("a", QUOTAS), Part("b", MANY)))
        with pytest.raises(ValueError, match="a cost of at least 1, not 0"):
            await scene.store.acquire("a", QUOTAS, 0)
        # A refund comes after the reply, which must not fail for it.
        await scene.store.refund("a", QUOTAS)
        server.start()
        await scene.recover()
        assert (await scene.ask()).standings[0].remaining == 99
        await scene.store.aclose()

    asyncio.run(run())


def test_time_that_the_loop_itself_takes_is_not_the_stores(server: Server) -> None:
    """An app that holds up its event loop for longer than the deadline gets answers all the same."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask()
        answered = []
        for _ in range(5):
            before = scene.store.counts.answered
            asks = [asyncio.create_task(scene.ask()) for _ in range(5)]
            # Before what is asked is sent, and again before the reply is read.
            for _ in range(3):
                asyncio.get_running_loop().call_soon(time.sleep, 0.05)
                await asyncio.sleep(0)
            await asyncio.gather(*asks)
            answered.append(scene.store.counts.answered - before)
        await scene.store.aclose()
        # A server that is kept from the processor is late by itself, but not each time.
        assert max(answered) == 5

    asyncio.run(run())


async def last_beat(store: ResilientStore) -> None:
    """Wait until a decision that just began has one beat of the loop left."""
    heart = store._deadlines._hearts[asyncio.get_running_loop()]
    beats = heart._beats + BEATS
    while heart._beats < beats:  # noqa: ASYNC110 - it beats for the store, and tells nobody
        await asyncio.sleep(0.001)


def test_an_answer_that_is_there_wins(server: Server) -> None:
    """An answer that the socket holds when the deadline passes is taken, and not thrown away."""

    async def run() -> None:
        scene = Scene(server, deadline=0.16)
        await scene.ask(MANY)
        server.freeze()
        task = asyncio.create_task(scene.ask(MANY))
        await asyncio.sleep(0)
        await last_beat(scene.store)
        server.thaw()
        # The loop is held up while the answer comes, which is before that to a question asked later, and
        # while the deadline passes.
        server.call("PING")
        time.sleep(0.1)  # noqa: ASYNC251 - as said
        await task
        await scene.store.aclose()
        assert (scene.store.counts.answered, scene.store.counts.failed) == (2, 0)

    asyncio.run(run())


def test_a_request_that_is_cancelled_at_its_deadline_stays_cancelled(server: Server) -> None:
    """Where the client goes away at the moment of the deadline, the request ends and is not decided."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask(MANY)
        server.freeze()
        task = asyncio.create_task(scene.ask(MANY))
        loop = asyncio.get_running_loop()

        def go_away() -> None:
            if task.cancelling():
                task.cancel()
            elif not task.done():
                loop.call_soon(go_away)

        go_away()
        with pytest.raises(asyncio.CancelledError):
            await task
        await scene.store.aclose()

    asyncio.run(run())


def test_a_request_that_is_cancelled_stays_cancelled(server: Server) -> None:
    """A client that goes away while the store is slow ends its request, and is no failure of the store."""

    async def run() -> None:
        scene = Scene(server)
        await scene.ask()
        server.freeze()
        tasks = [asyncio.create_task(scene.ask()) for _ in range(5)]
        await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [asyncio.CancelledError] * 5
        assert scene.store.counts.failed == 0
        # A timeout of the app around the decision is the app's own, too.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await scene.ask()
        assert scene.store.counts.failed == 0
        await scene.store.aclose()

    asyncio.run(run())


def test_survives_kills_flushes_and_freezes_under_load(server: Server) -> None:
    """Whatever happens to the server under load, no request fails, and every key has an end."""

    async def run() -> None:
        store = ResilientStore(ValkeyStore(server.url), MemoryStore(), log=event_log(stream=io.StringIO()))
        stop = asyncio.Event()
        decided = 0

        async def client(number: int) -> None:
            nonlocal decided
            while not stop.is_set():
                await store.acquire(f"k{number}", MANY)
                decided += 1
                await asyncio.sleep(0.001)

        clients = [asyncio.create_task(client(number)) for number in range(20)]
        for blow in (
            lambda: server.call("SCRIPT", "FLUSH"),
            server.restart,
            server.freeze,
            server.thaw,
            server.kill,
            server.start,
        ):
            await asyncio.sleep(0.1)
            await asyncio.to_thread(blow)
        await asyncio.to_thread(wait_until, lambda: not store.failing)
        before = store.counts.answered
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.gather(*clients)
        await store.aclose()
        assert decided > 100
        assert store.counts.answered > before
        assert store.counts.opened >= 1

    asyncio.run(run())
    assert server.immortal() == []
    assert server.call("DBSIZE") > 0


def break_off(scene: Scene) -> None:
    """Let an event loop end while the store is frozen and probed."""

    async def run() -> None:
        scene.server.freeze()
        await scene.fail()
        await asyncio.sleep(0.02)

    # As a careless test does: what runs is not ended.
    loop = asyncio.new_event_loop()
    loop.run_until_complete(run())
    loop.close()
    scene.server.thaw()


def go_on(scene: Scene) -> list[object]:
    """Let another event loop find the store well, and say which states were logged."""

    async def run() -> None:
        await scene.ask()
        await scene.recover()
        await scene.store.aclose()

    asyncio.run(run())
    return [event["state"] for event in scene.events()]


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore:loop is closed:ResourceWarning")
def test_an_outage_may_outlive_an_event_loop(server: Server) -> None:
    """A probe that was left behind in its event loop does not keep the next one from probing."""
    scene = Scene(server)
    break_off(scene)
    assert go_on(scene) == ["failing", "answering"]
    del scene
    gc.collect()
