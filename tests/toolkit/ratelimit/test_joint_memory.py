"""Requests about several keys, and the bound of the memory store."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.quota import Part, parse_quotas
from garrison.ratelimit.table import SHARDS
from tests.toolkit.ratelimit.bench import Bench

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Decision

OTHER = parse_quotas("100/minute", "fixed-window")
KEYS = st.integers(0, 3)
# Keys that are in one dictionary.
NEAR = [key for key in map(str, range(50_000)) if hash(key) % SHARDS == 0]


def remaining(decision: Decision) -> list[int]:
    """Units left of each quota."""
    return [standing.remaining for standing in decision.standings]


def test_nothing_of_looks_is_remembered() -> None:
    """Memory that is only looked at stays empty, whatever keys strangers make up."""
    bench = Bench("5/hour")
    for number in range(100):
        bench.store.decide_all((Part(f"a{number}", bench.quotas, 0), Part(f"b{number}", OTHER, 0)))
    assert len(bench.store) == 0
    # Where others are before it in a dictionary, it would not be let go of at once.
    for key in NEAR[:5]:
        bench.ask(key, cost=3)
    bench.store.decide_all((Part(NEAR[5], bench.quotas, 0), Part(NEAR[6], bench.quotas)))
    assert len(bench.store) == 6


def test_a_look_takes_nobodys_room() -> None:
    """In a full memory somebody makes way for a key that is counted, and nobody for one that is looked at."""
    bench = Bench("5/hour", bound=3)
    for key in ("a", "b", "c"):
        bench.ask(key)
    bench.store.decide_all((Part("new", bench.quotas), Part("looked at", OTHER, 0)))
    assert len(bench.store) == 3


def test_those_who_are_gone_make_way_for_requests_about_several_keys() -> None:
    """While clients come with two keys each, those who are gone are let go, long before the bound."""
    bench = Bench("1/second", bound=100_000)
    for number in range(10_000):
        bench.now += 0.001
        bench.store.decide_all((Part(f"a{number}", bench.quotas), Part(f"b{number}", bench.quotas)))
    assert 2000 <= len(bench.store) < 6000
    bench.now += 3600
    for _ in range(2000):
        bench.now += 0.01
        bench.store.decide_all((Part("regular", bench.quotas), Part("account", bench.quotas)))
    assert len(bench.store) == 2


@given(
    st.integers(1, 4), st.lists(st.lists(st.tuples(KEYS, KEYS, st.integers(0, 2)), max_size=3), max_size=30)
)
def test_a_small_memory_loses_track_of_nothing(bound: int, asks: list[list[tuple[int, int, int]]]) -> None:
    """However keys of several quotas make way for each other, all are let go when they have recovered."""
    bench = Bench("2/day", bound=bound)
    several = [bench.quotas, OTHER, parse_quotas("9/hour"), parse_quotas("7/hour; 8/day")]
    for ask in asks:
        bench.now += 3600
        parts = {
            (key, number): Part(NEAR[4 * number + key], several[number], cost) for key, number, cost in ask
        }
        if parts:
            bench.store.decide_all([*parts.values()])
        assert len(bench.store) <= bound
    bench.now += 3 * 86_400
    for _ in range(20):
        bench.now += 60
        bench.ask("regular")
        bench.ask("regular")
    assert len(bench.store) == 1


def test_a_refused_client_fills_no_memory_with_other_keys() -> None:
    """Who is refused for his address is not remembered under names that he makes up, and nobody is lost."""
    bench = Bench("5/hour", bound=2)
    bench.admitted(5)
    bench.ask("regular")
    for number in range(100):
        assert not bench.store.decide_all((Part("a", bench.quotas), Part(f"junk {number}", OTHER))).allowed
    assert bench.look("regular").standings[0].remaining == 4
    assert len(bench.store) == 2


def test_memory_stays_within_its_bound() -> None:
    """Requests about two keys fill the memory no further than others, and what they know stays there."""
    bench = Bench("1000/hour", bound=50)
    for number in range(500):
        decision = bench.store.decide_all((Part("a", bench.quotas), Part(f"junk {number}", OTHER)))
        assert remaining(decision) == [999 - number, 99]
    assert len(bench.store) == 50


def test_new_keys_share_where_nobody_can_be_forgotten() -> None:
    """With memory full of clients who are not to be forgotten, both parts of a request share a bucket."""
    bench = Bench("6/hour", bound=2)
    for key in ("one", "two"):
        assert bench.admitted(3, key) == 3
    found = [
        bench.store.decide_all((Part(f"a{number}", bench.quotas), Part(f"b{number}", bench.quotas)))
        for number in range(5)
    ]
    assert [decision.allowed for decision in found] == [True, True, True, False, False]
    assert [remaining(decision)[-1] for decision in found[:4]] == [4, 2, 0, 0]
    assert bench.admitted(9, "one") == 3


def test_one_room_is_for_one_key() -> None:
    """Where there is room for one of two new keys only, that one is remembered and the other shares."""
    bench = Bench("4/hour", bound=1)
    both = (Part("a", bench.quotas), Part("b", bench.quotas))
    found = [bench.store.decide_all(both).allowed for _ in range(6)]
    assert found == [True] * 4 + [False] * 2
    assert len(bench.store) == 1


def test_a_coroutine_decides_about_several_keys_as_a_call_does() -> None:
    """Whoever waits for a decision about several keys gets the one that whoever calls gets."""
    bench = Bench("2/minute")
    both = (Part("a", bench.quotas), Part("b", OTHER))
    awaited = asyncio.run(bench.store.acquire_all(both))
    assert remaining(awaited) == [1, 99]
    assert remaining(bench.store.decide_all(both)) == [0, 98]
