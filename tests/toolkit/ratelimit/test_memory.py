"""The memory store: who is remembered, who is forgotten, and that nothing piles up."""

from __future__ import annotations

import asyncio
import sys

import pytest

from garrison.ratelimit.quota import Algorithm, parse_quotas
from garrison.ratelimit.table import SHARDS
from tests.toolkit.ratelimit.bench import Bench
from tests.toolkit.ratelimit.models import ALGORITHMS


def test_a_client_waits_for_his_own_bucket_only() -> None:
    """One client's burst leaves every other client's quota whole."""
    bench = Bench("3/minute")
    assert bench.admitted(9, "a") == 3
    assert bench.admitted(9, "b") == 3


def test_a_coroutine_decides_as_a_call_does() -> None:
    """Whoever waits for a decision gets the one that whoever calls gets."""
    bench = Bench("2/minute")
    bench.ask()
    assert asyncio.run(bench.store.acquire("a", bench.quotas)) == Bench("2/minute").ask()._replace(
        standings=bench.look().standings
    )
    assert not asyncio.run(bench.store.acquire("a", bench.quotas)).allowed
    asyncio.run(bench.store.aclose())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("used", [2, 5])
def test_made_up_keys_serve_a_limited_client_no_more(used: int, algorithm: Algorithm) -> None:
    """However many other keys pass by, who has used his quota, or part of it, gets no more than the rest."""
    bench = Bench("5/hour", algorithm, bound=2000)
    served = bench.admitted(used, "attacker")
    for number in range(20_000):
        bench.ask(f"junk {number}")
        if number % 1000 == 0:
            served += bench.admitted(1, "attacker")
    assert served == 5
    assert len(bench.store) == 2000


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_new_client_has_its_own_quota_in_a_flood(algorithm: Algorithm) -> None:
    """While single requests of made-up keys fill the memory, whoever is new is counted for himself."""
    bench = Bench("5/hour", algorithm, bound=100)
    for number in range(1000):
        bench.ask(f"junk {number}")
    assert [bench.admitted(9, f"client {number}") for number in range(10)] == [5] * 10
    assert len(bench.store) == 100


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(("quotas", "each"), [("1/hour", 1), ("4/hour", 2), ("1/hour; 9/hour", 1)])
def test_new_clients_share_where_nobody_can_be_forgotten(
    quotas: str, each: int, algorithm: Algorithm
) -> None:
    """With memory full of clients who are blocked, or have used several units, new ones share one quota."""
    bench = Bench(quotas, algorithm, bound=20)
    for number in range(20):
        assert bench.admitted(each, f"remembered {number}") == each
    shared = bench.quotas[0].limit
    assert sum(bench.admitted(1, f"new {number}") for number in range(50)) == shared
    assert bench.admitted(9, "remembered 7") == shared - each
    bench.now += 3 * 3600
    assert bench.admitted(shared + 1, "late") == shared


def test_each_target_has_its_own_shared_bucket() -> None:
    """Where nobody can be forgotten, targets with other quotas do not get into each other's way."""
    bench = Bench("2/minute", bound=1)
    bench.admitted(2, "remembered")
    several = parse_quotas("5/second; 9/hour")
    assert bench.ask("new one").allowed
    assert bench.ask("new two", quotas=several).standings[1].remaining == 8
    assert bench.ask("new three").standings[0].remaining == 0
    assert bench.ask("new four", quotas=several).standings[1].remaining == 7


def test_one_target_can_take_the_room_of_another() -> None:
    """A flood at one target does not leave the clients of another without a quota of their own."""
    bench = Bench("5/hour", bound=100)
    for number in range(300):
        bench.ask(f"junk {number}")
    other = parse_quotas("3/minute")
    for number in range(5):
        allowed = [bench.ask(f"client {number}", quotas=other).allowed for _ in range(4)]
        assert allowed == [True, True, True, False]
    assert len(bench.store) == 100


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_clients_who_are_gone_are_let_go(algorithm: Algorithm) -> None:
    """Who has not come for long is forgotten while others do, and who is blocked stays blocked meanwhile."""
    bench = Bench("1/minute", algorithm)
    for number in range(100):
        bench.ask(f"passer-by {number}")
    for _ in range(60):
        bench.now += 10
        bench.admitted(2, "regular")
        bench.ask("regular")
        assert not bench.ask("regular").allowed
    for _ in range(200):
        bench.now += 0.1
        bench.ask("regular")
    assert len(bench.store) == 1


def test_short_quotas_do_not_wait_for_long_ones() -> None:
    """Clients of a quota by the second are gone within seconds, beside one who has used up that of a day."""
    bench = Bench("1/second", bound=10_000)
    day = parse_quotas("1000/day")
    for number in range(1000):
        bench.ask(f"passer-by {number}")
    for _ in range(2000):
        bench.now += 0.01
        bench.ask("regular", quotas=day)
    assert len(bench.store) == 1
    assert not bench.ask("regular", quotas=day).allowed


def test_memory_holds_those_who_are_not_gone() -> None:
    """While new clients keep coming, those who are gone make way for them, long before the bound."""
    bench = Bench("1/second", bound=100_000)
    for number in range(20_000):
        bench.now += 0.001
        bench.ask(f"passer-by {number}")
    assert 1000 <= len(bench.store) < 3000


def test_equal_quotas_count_together() -> None:
    """Quotas that a callable makes anew for every request are the same quotas."""
    bench = Bench("3000/day")
    for _ in range(2999):
        bench.ask(quotas=parse_quotas("3000/day"))
    assert bench.admitted(5) == 1


def test_quotas_are_told_apart_wherever_they_are_in_memory() -> None:
    """Quotas that are made anew for every request, and gone after it, are not taken for those before."""
    bench = Bench("1/day")
    for limit in range(1, 300):
        for used in (1, 2):
            (standing,) = bench.ask(quotas=parse_quotas(f"{limit}/day")).standings
            assert standing[:2] == (standing.quota, max(limit - used, 0))
            assert standing.quota.limit == limit


def test_quotas_that_nobody_uses_leave_nothing_behind() -> None:
    """Quotas go with their last client, and those who come later are counted, and go, like the first."""
    bench = Bench("2/second", bound=2)
    others = [parse_quotas("100/minute"), parse_quotas("99/minute")]
    # Outside of the assertion, which would keep them once more.
    unused = sys.getrefcount(bench.quotas)
    for _ in range(2):
        assert bench.admitted(5) == 2
        assert bench.admitted(5) == 0
        for number in range(20):
            bench.now += 1
            bench.ask("other", quotas=others[number % 2])
        left = sys.getrefcount(bench.quotas)
        assert left == unused


def test_a_desk_counts_for_everybody_who_asks_otherwise() -> None:
    """Long after its last client is gone, what it decides counts elsewhere too, and can be forgiven."""
    bench = Bench("2/second", bound=2)
    desk = bench.store.desk(bench.quotas)
    for number in range(20):
        bench.now += 1
        bench.ask("other", quotas=parse_quotas(f"{99 + number % 2}/minute"))
    assert [desk("a").allowed for _ in range(3)] == [True, True, False]
    assert not bench.ask().allowed
    assert len(bench.store) == 2
    assert bench.reset()
    assert desk("a").allowed


def test_quotas_whose_last_client_made_way_leave_nothing_behind() -> None:
    """Quotas go too when their last client is forgotten in favour of another."""
    bench = Bench("2/day", bound=1)
    # Outside of the assertion, which would keep them once more.
    unused = sys.getrefcount(bench.quotas)
    bench.ask()
    other = parse_quotas("100/minute")
    for _ in range(5):
        bench.now += 1
        bench.ask("other", quotas=other)
    assert len(bench.store) == 1
    left = sys.getrefcount(bench.quotas)
    assert left == unused


def test_two_targets_can_take_turns_in_a_full_memory() -> None:
    """Quotas whose last client made way count the next one like any other, time and again."""
    bench = Bench("5/day", bound=1)
    other = parse_quotas("9/day")
    for _ in range(5):
        bench.now += 1
        assert bench.ask().standings[0].remaining == 4
        assert bench.ask("b", quotas=other).standings[0].remaining == 8
        assert bench.ask("b", quotas=other).standings[0].remaining == 7
        bench.now += 86_400
    assert len(bench.store) == 1


def test_clients_who_are_gone_do_not_hide_behind_those_who_are_not() -> None:
    """In each dictionary everybody is looked at in turn, however many are there and stay."""
    bench = Bench("3/minute")
    near = [key for key in map(str, range(150_000)) if hash(key) % SHARDS == 0]
    regulars, passers_by = near[:100], near[100:120]
    for key in regulars:
        bench.ask(key, cost=3)
    for key in passers_by:
        bench.ask(key)
    bench.now = 50.0
    for _ in range(10):
        bench.now += 0.02
        bench.ask("another")
    assert len(bench.store) == len(regulars) + 1


def test_a_client_who_is_forgiven_starts_anew() -> None:
    """A reset forgets all that a key has used, of whichever quotas, and says whether there was any."""
    bench = Bench("2/minute")
    other = parse_quotas("1/hour")
    bench.admitted(2)
    bench.ask(quotas=other)
    bench.ask("b")
    assert bench.reset()
    assert len(bench.store) == 1
    assert bench.admitted(5) == 2
    assert bench.ask(quotas=other).allowed
    assert not bench.reset("nobody")
