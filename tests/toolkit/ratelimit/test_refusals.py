"""What a shared store has refused is refused without it, for as long as that is the truth."""

from __future__ import annotations

from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.quota import Algorithm, Decision, Quota, Standing, parse_quotas
from garrison.ratelimit.refusals import Refusals
from tests.toolkit.ratelimit.bench import Bench
from tests.toolkit.ratelimit.models import ALGORITHMS

(BURST, HOURLY) = QUOTAS = parse_quotas("10/second as burst; 100/hour as hourly")


def refusal(retry_after: float = 30.0, quotas: tuple[Quota, ...] = QUOTAS) -> Decision:
    """What a store says to somebody who has used up the last of some quotas."""
    standings = [Standing(quota, 5, 0.1, 0.5) for quota in quotas[:-1]]
    return Decision(
        allowed=False,
        refused_by=quotas[-1:],
        retry_after=retry_after,
        standings=(*standings, Standing(quotas[-1], 0, retry_after, 3600.0)),
    )


class Scene:
    """Refusals, and a clock that the test moves."""

    def __init__(self, *, bound: int = 3, longest: float = 1.0) -> None:
        self.now = 1000.0
        self.refusals = Refusals(lambda: self.now, bound=bound, longest=longest)


def test_a_key_that_was_refused_is_refused_again() -> None:
    """Who was refused a moment ago is told the same, and others are for the store to decide."""
    scene = Scene()
    assert scene.refusals.find("a", 1) is None
    scene.refusals.note("a", 1, refusal())
    assert scene.refusals.find("a", 1) == refusal()
    assert scene.refusals.find("b", 1) is None


def test_times_go_on() -> None:
    """A refusal that is told later has shorter times, and none below zero."""
    scene = Scene()
    scene.refusals.note("a", 1, refusal(30.0))
    scene.now += 0.25
    found = scene.refusals.find("a", 1)
    assert found is not None
    assert (found.allowed, found.refused_by, found.retry_after) == (False, (HOURLY,), 29.75)
    assert found.standings == (Standing(BURST, 5, 0.0, 0.25), Standing(HOURLY, 0, 29.75, 3599.75))
    scene.now += 0.5
    found = scene.refusals.find("a", 1)
    assert found is not None
    assert found.standings == (Standing(BURST, 5, 0.0, 0.0), Standing(HOURLY, 0, 29.25, 3599.25))


def test_the_store_is_asked_again_before_long() -> None:
    """However long the wait, what was forgiven elsewhere comes through within a second."""
    scene = Scene(longest=1.0)
    scene.refusals.note("a", 1, refusal(3600.0))
    scene.now += 0.999
    assert scene.refusals.find("a", 1) is not None
    scene.now += 0.001
    assert scene.refusals.find("a", 1) is None
    assert len(scene.refusals) == 0


@pytest.mark.parametrize(
    "decision", [refusal(0.004), Decision(allowed=True, refused_by=(), retry_after=0.0, standings=())]
)
def test_what_is_over_at_once_is_not_held(decision: Decision) -> None:
    """A request that was allowed, or refused for a few milliseconds, says nothing about the next one."""
    scene = Scene()
    scene.refusals.note("a", 1, decision)
    assert scene.refusals.find("a", 1) is None
    assert len(scene.refusals) == 0


@pytest.mark.parametrize("other", [1, 3])
def test_another_cost_is_for_the_store(other: int) -> None:
    """A cheaper request may fit, and a dearer one has to wait longer: neither is told what is not true."""
    scene = Scene()
    scene.refusals.note("a", 2, refusal())
    assert scene.refusals.find("a", 2) is not None
    assert scene.refusals.find("a", other) is None
    assert scene.refusals.find("a", 2) is None


def test_a_block_is_for_every_cost() -> None:
    """Who is refused whatever he asks for cannot get to the store by asking for something else."""
    scene = Scene()
    scene.refusals.note("a", 0, refusal())
    assert [scene.refusals.find("a", cost) for cost in (1, 7, 0)] == [refusal()] * 3


def test_what_is_forgotten_is_for_the_store() -> None:
    """Who was given something back is not refused by memory; who was never refused may be forgotten too."""
    scene = Scene()
    scene.refusals.note("a", 1, refusal())
    scene.refusals.forget("a")
    scene.refusals.forget("b")
    assert scene.refusals.find("a", 1) is None


def test_the_oldest_refusals_go_first() -> None:
    """Where there is no room for another key, the one goes that was not refused for the longest time."""
    scene = Scene(bound=3)
    for key in "abcb":
        scene.refusals.note(key, 1, refusal())
    assert len(scene.refusals) == 3
    for key in "ad":
        scene.refusals.note(key, 1, refusal())
    assert [scene.refusals.find(key, 1) is not None for key in "abcd"] == [True, True, False, True]


def test_rounding_keeps_nobody_out() -> None:
    """Where the sum of two times is a little less than the end of a refusal, it is over all the same."""
    scene = Scene()
    scene.now = 0.1
    scene.refusals.note("a", 1, refusal(1 / 3))
    scene.now += 0.9391491627785106 / 3
    held = scene.refusals.find("a", 1)
    assert held is not None
    scene.now += held.retry_after
    assert scene.now < 0.1 + 1 / 3
    assert scene.refusals.find("a", 1) is None


@given(st.sampled_from(ALGORITHMS), st.integers(1, 9), st.integers(0, 999), st.integers(0, 400))
def test_who_obeys_what_memory_says_is_admitted(
    algorithm: Algorithm, limit: int, late: int, looked: int
) -> None:
    """Whoever waits as long as a held refusal tells him gets past it, and through the store behind it."""
    bench = Bench(f"{limit}/second", algorithm, start=12345.678)
    refusals = Refusals(lambda: bench.now, longest=10)
    while (decision := bench.ask()).allowed:
        bench.now += late / 2000 / limit
    refusals.note("a", 1, decision)
    bench.now += decision.retry_after * looked / 401
    held = refusals.find("a", 1)
    if held is None:
        assert decision.retry_after < 0.005
        return
    bench.now += held.retry_after
    assert refusals.find("a", 1) is None
    assert bench.ask().allowed


MOVES = st.lists(
    st.one_of(
        st.tuples(
            st.just("note"), st.sampled_from("abcde"), st.integers(0, 2), st.sampled_from([0.003, 0.5, 9])
        ),
        st.tuples(st.just("find"), st.sampled_from("abcde"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("forget"), st.sampled_from("abcde"), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.just(""), st.just(0), st.sampled_from([0.25, 0.5, 1.0])),
    ),
    max_size=60,
)


@given(MOVES)
def test_memory_is_what_a_plain_list_would_be(moves: list[tuple[str, str, int, float]]) -> None:
    """In any order of events exactly the latest refusals are held, as many as there is room for."""
    scene = Scene(bound=3)
    held: OrderedDict[str, tuple[float, int, float]] = OrderedDict()
    for move, key, cost, seconds in moves:
        if move == "wait":
            scene.now += seconds
        elif move == "forget":
            scene.refusals.forget(key)
            held.pop(key, None)
        elif move == "note":
            scene.refusals.note(key, cost, refusal(seconds))
            if seconds > 0.005:
                held[key] = scene.now, cost, seconds
                held.move_to_end(key)
                if len(held) > 3:
                    held.popitem(last=False)
        else:
            since, refused, wait = held.get(key, (0.0, 0, 0.0))
            if scene.now < since + min(wait, 1.0) and refused in {0, cost}:
                found = scene.refusals.find(key, cost)
                assert found is not None
                assert found.retry_after == wait - (scene.now - since)
            else:
                assert scene.refusals.find(key, cost) is None
                held.pop(key, None)
        assert len(scene.refusals) == len(held)
