"""One request that is about several keys takes what it asks of each of them, or nothing at all."""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.limits_store import LimitsStore
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Part, Quota, parse_quotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey import ValkeyStore
from tests.toolkit.ratelimit.models import Referee, judge_all
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.ratelimit.told import MICROSECONDS, TODAY, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.ratelimit.quota import Decision, Store

QUOTAS: dict[str, tuple[Quota, ...]] = {
    "bucket": parse_quotas("3/second; 10/minute"),
    "fixed": parse_quotas("4 per 2 seconds", "fixed-window"),
    "mixed": (
        Quota(name="short", limit=5, period=2.0, algorithm="sliding-window"),
        Quota(name="long", limit=9, period=7.0),
    ),
}
FIXED = parse_quotas("100/minute", "fixed-window")
SMALL = parse_quotas("40/minute", "fixed-window")


@dataclass(frozen=True)
class Step:
    """What happens next.

    Attributes:
        later: microseconds since the last step; less than 0 where the clock was set back.
        costs: what a request asks of which key, in the order of its parts.
        refund: given back to the first of them, before.
    """

    later: int
    costs: dict[str, int]
    refund: int


def steps(later: st.SearchStrategy[int]) -> st.SearchStrategy[list[Step]]:
    """Any number of steps."""
    costs = st.lists(
        st.tuples(st.sampled_from([*QUOTAS]), st.sampled_from([0, 1, 1, 1, 2, 4, 6])),
        min_size=1,
        max_size=3,
        unique_by=lambda pair: pair[0],
    ).map(dict)
    refund = st.sampled_from([0, 0, 0, 1, 3])
    return st.lists(st.builds(Step, later=later, costs=costs, refund=refund), max_size=25)


@given(steps(st.one_of(st.just(0), st.integers(0, 3_000_000), st.just(86_400_000_000))))
def test_memory_takes_all_or_nothing(taken: list[Step]) -> None:
    """In memory every decision about several keys, and each number in it, is that of exact arithmetic."""
    now = 0.0
    store = MemoryStore(clock=lambda: now)
    referees = {key: Referee(quotas) for key, quotas in QUOTAS.items()}
    elapsed = 0
    for step in taken:
        elapsed += step.later
        now, moment = elapsed / MICROSECONDS, Fraction(elapsed, MICROSECONDS)
        first = next(iter(step.costs))
        if step.refund:
            asyncio.run(store.refund(first, QUOTAS[first], step.refund))
            referees[first].refund(moment, step.refund)
        parts = [Part(key, QUOTAS[key], cost) for key, cost in step.costs.items()]
        costs = {referees[key]: cost for key, cost in step.costs.items()}
        judge_all(costs, moment, store.decide_all(parts))


def follow(told: Told, taken: list[Step]) -> None:
    """Let requests come, and judge what they are told."""
    told.forget()
    referees = {key: Referee(quotas) for key, quotas in QUOTAS.items()}
    written = dict.fromkeys(QUOTAS, TODAY)
    micros = TODAY
    for step in taken:
        micros += step.later
        moment = Fraction(micros, MICROSECONDS)
        told.at(micros)
        first = next(iter(step.costs))
        if step.refund:
            told.run(told.store.refund(first, QUOTAS[first], step.refund))
            referees[first].refund(moment, step.refund)
            written[first] = micros
        before = {key: [copy(model) for model in referees[key].models] for key in step.costs}
        parts = [Part(key, QUOTAS[key], cost) for key, cost in step.costs.items()]
        decision = told.run(told.store.acquire_all(parts))
        judge_all({referees[key]: cost for key, cost in step.costs.items()}, moment, decision)
        for key, cost in step.costs.items():
            if micros >= written[key] and not (cost and decision.allowed):
                # What takes nothing writes nothing, and if the clock goes back then, time has not gone by.
                referees[key].models = before[key]
            else:
                written[key] = micros


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


def test_valkey_takes_all_or_nothing(running: Server) -> None:
    """At a server too, whatever its clock does."""
    later = st.one_of(
        st.sampled_from([0, 1, MICROSECONDS, 60_000_000, -3_600_000_000]), st.integers(-2_000_000, 9_000_000)
    )
    with asyncio.Runner() as runner:
        told = Told(running, runner)

        @given(steps(later))
        def judged(taken: list[Step]) -> None:
            follow(told, taken)

        judged()
        told.close()


@pytest.fixture(params=["memory", "valkey", "limits"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each kind of store, with nothing in it."""
    if request.param == "valkey":
        return ValkeyStore(request.getfixturevalue("server").url)
    return MemoryStore() if request.param == "memory" else LimitsStore("async+memory://", "fixed-window")


def decisions(store: Store, *requests: tuple[Part, ...]) -> list[Decision]:
    """What requests are told, one after the other."""

    async def ask() -> list[Decision]:
        try:
            return [await store.acquire_all(parts) for parts in requests]
        finally:
            await store.aclose()

    return asyncio.run(ask())


def remaining(decision: Decision) -> list[int]:
    """Units left of each quota."""
    return [standing.remaining for standing in decision.standings]


def test_a_part_that_is_refused_refuses_the_others(store: Store) -> None:
    """Whichever part has no room, nothing is taken from any, and only its quotas are named."""
    both = (Part("a", FIXED, 30), Part("b", SMALL, 30))
    found = decisions(store, both, both, tuple(reversed(both)))
    assert [decision.allowed for decision in found] == [True, False, False]
    assert [remaining(decision) for decision in found] == [[70, 10], [70, 10], [10, 70]]
    assert [decision.refused_by for decision in found[1:]] == [SMALL, SMALL]
    assert all(0 < decision.retry_after <= 60 for decision in found[1:])


def test_a_look_takes_nothing_and_needs_room(store: Store) -> None:
    """A part at no cost is looked at: it refuses when it is used up, and is not used by being asked."""
    looks = (Part("a", FIXED), Part("b", SMALL, 0))
    found = decisions(store, looks, looks, (Part("b", SMALL, 40),), looks, (Part("a", FIXED, 0),))
    assert [decision.allowed for decision in found] == [True, True, True, False, True]
    assert [remaining(decision) for decision in found] == [[99, 40], [98, 40], [0], [98, 0], [98]]


@pytest.mark.parametrize("others", [0, 1])
def test_a_cost_below_nothing_is_an_error(store: Store, others: int) -> None:
    """Nobody gains quota by a negative cost, alone or beside others."""
    with pytest.raises(ValueError, match="at least 0"):
        decisions(store, (*(Part("b", SMALL),) * others, Part("a", FIXED, -1)))


def test_parts_may_have_equal_quotas(store: Store) -> None:
    """Keys with the same quotas are counted each for itself."""
    found = decisions(store, *[(Part("a", SMALL), Part(f"b{number}", SMALL)) for number in range(41)])
    assert [decision.allowed for decision in found] == [True] * 40 + [False]
    assert remaining(found[-2]) == [0, 39]
    assert remaining(found[-1]) == [0, 40]


async def burst(store: Store, count: int) -> int:
    """How many of so many clients that share an account, at the same moment, are allowed."""
    asks = [
        store.acquire_all((Part(f"client {number % 20}", FIXED), Part("account", SMALL)))
        for number in range(count)
    ]
    return sum(decision.allowed for decision in await asyncio.gather(*asks))


def test_a_thousand_at_once_share_a_quota_exactly(server: Server) -> None:
    """A thousand requests over a common second key admit what its quota does, in a few round trips."""

    async def ask() -> tuple[int, list[int]]:
        store = ValkeyStore(server.url)
        admitted = await burst(store, 1000)
        looks = [await store.standing(f"client {number}", FIXED) for number in range(20)]
        await store.aclose()
        return admitted, [used for look in looks for used in remaining(look)]

    before = server.connections()
    admitted, left = asyncio.run(ask())
    assert admitted == 40
    assert sum(100 - one for one in left) == 40
    assert server.calls("evalsha") + server.calls("eval") <= 12 + 20
    assert server.connections() == before


def test_cancelled_requests_leave_no_key_without_an_end(server: Server) -> None:
    """Requests that are given up at any moment take both parts or neither, and every key has an end."""

    async def ask() -> tuple[list[int], list[int]]:
        store = ValkeyStore(server.url)
        for number in range(60):
            tasks = [asyncio.create_task(burst(store, 1)) for _ in range(20)]
            for _ in range(number % 6):
                await asyncio.sleep(0)
            await asyncio.sleep(0.0001 * (number % 10))
            for task in tasks[::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        found = (
            remaining(await store.standing("client 0", FIXED)),
            remaining(await store.standing("account", SMALL)),
        )
        await store.aclose()
        return found

    assert asyncio.run(ask()) == ([60], [0])
    assert server.call("DBSIZE") == 2
    assert server.immortal() == []


def test_a_key_of_somebody_else_takes_nothing_from_the_other(server: Server) -> None:
    """A value that another program wrote under one key fails that request only, and takes nothing."""
    server.call("SET", "garrison:theirs", "theirs")

    async def ask() -> list[object]:
        store = ValkeyStore(server.url)
        requests = [
            (Part("a", FIXED), Part("theirs", SMALL)),
            (Part("a", FIXED), Part("b", SMALL)),
            (Part("a", FIXED, 0),),
        ]
        found = await asyncio.gather(*map(store.acquire_all, requests), return_exceptions=True)
        await store.aclose()
        return [one if isinstance(one, BaseException) else remaining(one) for one in found]

    failed, *others = asyncio.run(ask())
    assert isinstance(failed, StoreUnavailableError)
    assert others == [[99, 39], [99]]
