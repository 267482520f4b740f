"""What the algorithms promise, judged by plain models with exact arithmetic."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from garrison.ratelimit.judges import judge
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Quota, parse_quotas
from tests.toolkit.ratelimit.bench import Bench
from tests.toolkit.ratelimit.models import ALGORITHMS, Referee

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Algorithm

# A machine's monotonic clock may have run for a year; rounding grows with it.
UPTIMES = [0, 12345, 31_536_000]
# What floats of such an uptime cannot tell, and what is forgiven, in seconds.
ROUNDING = Fraction(2, 1_000_000)

NOTATIONS = ["5/second", "7/minute", "1/3 seconds", "3/second; 10/minute", "100/minute; 101/minute; 2/second"]
MIXED = (
    Quota(name="bucket", limit=3, period=1.0),
    Quota(name="fixed", limit=5, period=2.0, algorithm="fixed-window"),
    Quota(name="sliding", limit=8, period=3.0, algorithm="sliding-window"),
)
QUOTAS = st.one_of(
    st.builds(parse_quotas, st.sampled_from(NOTATIONS), st.sampled_from(ALGORITHMS)), st.just(MIXED)
)
# Milliseconds; now and then the process sleeps for a day.
PAUSES = st.one_of(
    st.just(0), st.sampled_from([333, 500, 1000, 3000]), st.integers(0, 3000), st.just(86_400_000)
)
STEPS = st.lists(
    st.tuples(PAUSES, st.sampled_from(["acquire", "desk"] * 2 + ["refund", "standing"]), st.integers(1, 4)),
    min_size=1,
    max_size=60,
)


@example(
    parse_quotas("3/second; 10/minute"), [(pause, "acquire", 1) for pause in (1001, 3000, 3000, 0, 333)], 0
)
@example(parse_quotas("3/second; 10/minute"), [(0, "acquire", 1), (333, "acquire", 1)], 12345)
@given(QUOTAS, STEPS, st.sampled_from(UPTIMES))
def test_a_store_says_what_exact_arithmetic_says(
    quotas: tuple[Quota, ...], steps: list[tuple[int, str, int]], start: int
) -> None:
    """Whatever the rhythm, costs and refunds, each decision and each number is that of plain models."""
    now = float(start)
    store = MemoryStore(clock=lambda: now)
    desk = store.desk(quotas)
    referee = Referee(quotas, ROUNDING)

    async def main() -> None:
        nonlocal now
        elapsed = 0
        for pause, call, cost in steps:
            elapsed += pause
            now = start + elapsed / 1000
            moment = Fraction(elapsed, 1000)
            if call == "refund":
                await store.refund("a", quotas, cost)
                referee.refund(moment, cost)
            elif call == "standing":
                referee.judge(moment, 1, await store.standing("a", quotas), taken=False)
            elif call == "desk":
                referee.judge(moment, 1, desk("a"))
            else:
                referee.judge(moment, cost, await store.acquire("a", quotas, cost))

    asyncio.run(main())


@given(
    st.sampled_from(ALGORITHMS),
    st.integers(1, 50),
    st.integers(1, 3600),
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 3)), max_size=40),
    st.sampled_from(UPTIMES),
)
def test_retry_after_is_true(
    algorithm: Algorithm, limit: int, period: int, visits: list[tuple[int, int]], start: int
) -> None:
    """Who waits as long as he is told is admitted, and who comes a millisecond earlier is not."""
    bench = Bench(f"{limit}/{period}second", algorithm, start=start)
    for late, cost in visits:
        bench.now += period * late / 700
        bench.ask(cost=cost)
    cost = min(2, limit)
    while bench.ask(cost=cost).allowed:
        pass
    told, wait = bench.now, bench.ask(cost=cost).retry_after
    if wait > 0.002:
        bench.now = told + wait - 0.001
        assert not bench.ask(cost=cost).allowed
    bench.now = told + wait
    assert bench.ask(cost=cost).allowed


@given(
    st.sampled_from(ALGORITHMS),
    st.integers(2, 50),
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 3)), min_size=1, max_size=40),
)
def test_more_and_all_come_when_promised(
    algorithm: Algorithm, limit: int, visits: list[tuple[int, int]]
) -> None:
    """A standing names the moment at which more remains, and the one at which all does."""
    bench = Bench(f"{limit}/minute", algorithm)
    for late, cost in visits:
        bench.now += late / 7
        bench.ask(cost=cost)
    then, before = bench.now, bench.look().standings[0]
    if before.remaining == limit:
        return
    bench.now = then + before.more_after - 0.001
    assert bench.look().standings[0].remaining == before.remaining
    bench.now = then + before.more_after
    assert bench.look().standings[0].remaining > before.remaining
    bench.now = then + before.reset_after - 0.001
    assert bench.look().standings[0].reset_after > 0
    bench.now = then + before.reset_after
    assert bench.look().standings[0] == (bench.quotas[0], limit, 0.0, 0.0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("start", [*UPTIMES, 60_000_000.123])
@pytest.mark.parametrize(
    ("quota", "count"), [("1/second", 1), ("5/minute", 5), ("1000/second", 1000), ("20000/hour", 20000)]
)
def test_a_burst_gets_its_quota_and_not_one_more(
    quota: str, count: int, start: float, algorithm: Algorithm
) -> None:
    """What is untouched admits exactly its limit at once, however long the machine has been up."""
    assert Bench(quota, algorithm, start=start).admitted(count + 5) == count


@pytest.mark.parametrize("start", UPTIMES)
@pytest.mark.parametrize(("quota", "pace"), [("60/minute", 1.0), ("7/minute", 60 / 7), ("3/second", 1 / 3)])
def test_a_client_who_keeps_the_pace_is_never_refused(quota: str, pace: float, start: float) -> None:
    """Once a bucket is empty, requests at exactly the quota's rate all pass, and faster ones do not."""
    bench = Bench(quota, start=start)
    bench.admitted(100)
    for number in range(1, 300):
        bench.now = start + number * pace
        assert bench.admitted(2) == 1


def test_a_window_begins_with_the_first_hit() -> None:
    """A fixed window ends a period after its first hit, and then all of it is there at once."""
    bench = Bench("3/minute", "fixed-window", start=50.0)
    assert bench.admitted(5) == 3
    bench.now = 109.0
    assert [round(wait) for wait in bench.ask().standings[0][2:]] == [1, 1]
    bench.now = 110.0
    assert bench.admitted(5) == 3


def test_a_sliding_window_admits_no_double_burst() -> None:
    """What was used just before a window ends still counts in the next, less and less."""
    bench = Bench("10/minute", "sliding-window")
    bench.ask()
    bench.now = 59.0
    assert bench.admitted(20) == 9
    bench.now = 60.0
    assert bench.admitted(20) == 0
    bench.now = 90.0
    assert bench.admitted(20) == 5


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_dear_request_takes_more_units(algorithm: Algorithm) -> None:
    """A cost of four leaves six of ten, and a cost that does not fit takes nothing."""
    bench = Bench("10/minute", algorithm)
    assert bench.ask(cost=4).standings[0].remaining == 6
    refused = bench.ask(cost=7)
    assert (refused.allowed, refused.standings[0].remaining) == (False, 6)
    assert bench.ask(cost=6).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_cost_above_the_limit_is_never_allowed(algorithm: Algorithm) -> None:
    """A cost that no wait can help is refused for a period, time and again, and takes nothing."""
    bench = Bench("10/minute", algorithm)
    for _ in range(3):
        refused = bench.ask(cost=11)
        assert (refused.allowed, refused.retry_after) == (False, 60.0)
        bench.now += 60.0
    assert len(bench.store) == 0
    assert bench.admitted(20) == 10


@pytest.mark.parametrize("cost", [0, -1])
def test_a_cost_that_is_none_is_an_error(cost: int) -> None:
    """Nobody gains quota by a negative cost, in either direction."""
    bench = Bench("10/minute")
    with pytest.raises(ValueError, match="cost of at least 1"):
        bench.ask(cost=cost)
    with pytest.raises(ValueError, match="cost of at least 1"):
        bench.refund(cost=cost)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_refund_gives_back_what_was_taken_and_no_more(algorithm: Algorithm) -> None:
    """A request that is refunded has not happened, and refunds do not pile up above the limit."""
    bench = Bench("3/minute", algorithm)
    assert bench.admitted(5) == 3
    bench.refund()
    assert bench.admitted(5) == 1
    bench.refund(cost=50)
    assert bench.look().standings[0] == (bench.quotas[0], 3, 0.0, 0.0)
    assert bench.admitted(5) == 3


def test_a_refund_is_for_the_key_that_paid() -> None:
    """Giving back to a client who has taken nothing changes nothing, neither for him nor for others."""
    bench = Bench("3/minute")
    bench.admitted(3)
    bench.refund("stranger")
    assert bench.admitted(5) == 0
    assert bench.admitted(5, "stranger") == 3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_look_takes_nothing(algorithm: Algorithm) -> None:
    """Whoever asks where a client stands neither uses his quota nor makes the store remember him."""
    bench = Bench("2/minute", algorithm)
    for _ in range(5):
        assert bench.look().allowed
    assert len(bench.store) == 0
    bench.admitted(2)
    told = bench.look()
    assert (told.allowed, told.refused_by, told.standings[0].remaining) == (False, bench.quotas, 0)
    assert told.retry_after == bench.ask().retry_after


def test_a_refusal_consumes_nothing() -> None:
    """While the small quota refuses, the large one stays as it is."""
    bench = Bench("2/second; 10/minute")
    bench.admitted(2)
    for _ in range(50):
        decision = bench.ask()
        assert [quota.limit for quota in decision.refused_by] == [2]
        assert [standing.remaining for standing in decision.standings] == [0, 8]


def test_every_quota_counts_at_once() -> None:
    """The large quota refuses although the small one has room again."""
    bench = Bench("2/second; 3/hour")
    assert bench.admitted(3) == 2
    bench.now += 1
    assert bench.admitted(3) == 1
    bench.now += 1
    assert [quota.limit for quota in bench.ask().refused_by] == [3]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clock_that_rounds_makes_nobody_late(algorithm: Algorithm) -> None:
    """Who comes less than a microsecond early is on time."""
    bench = Bench("2/minute", algorithm)
    bench.admitted(5)
    bench.now += bench.ask().retry_after - 5e-7
    assert bench.ask().allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_clients_who_obey_are_admitted(algorithm: Algorithm) -> None:
    """Of 300 refused clients at any moment, each is admitted when he comes back as he was told."""
    anywhen = random.Random(4)  # noqa: S311 - moments, no secrets
    bench = Bench("7/minute", algorithm)
    for number in range(300):
        bench.now = anywhen.uniform(0, 10_000)
        bench.ask(str(number), cost=3)
        bench.now += anywhen.uniform(0, 100)
        while bench.ask(str(number)).allowed:
            pass
        bench.now += bench.ask(str(number)).retry_after
        assert bench.ask(str(number)).allowed


def test_windows_in_which_nothing_is_left_begin_anew() -> None:
    """When a refund leaves only what is older, and that is over, the next hit begins a window of its own."""
    bench = Bench("3/minute", "sliding-window")
    bench.ask()
    # At 130 it is the turn of this one to be looked at, so that the first is not let go before it asks.
    bench.ask("b")
    bench.now = 70.0
    bench.ask()
    bench.refund()
    bench.now = 130.0
    assert bench.ask().standings[0].reset_after == 120.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("limit", [65_535, 65_536, 2**32 - 1, 2**32])
def test_every_unit_of_a_large_quota_counts(limit: int, algorithm: Algorithm) -> None:
    """A quota of any size is used up to its last unit, and what was used still counts when a window turns."""
    bench = Bench(f"{limit}/hour; {limit}/day", algorithm)
    assert bench.ask(cost=limit - 2).standings[1].remaining == 2
    assert bench.admitted(5) == 2
    bench.now += 5400
    hour, day = (standing.remaining for standing in bench.look().standings)
    # What is forgiven for rounding is a microsecond, and so some units of a large quota.
    assert hour == pytest.approx(limit / 2 if algorithm == "sliding-window" else limit, rel=1e-6, abs=1)
    assert day == pytest.approx(limit / 16 if algorithm == "token-bucket" else 0, rel=1e-6, abs=1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("quotas", ["100/minute", "10/second; 100/minute; 10000/day"])
def test_the_garbage_collector_has_nothing_to_do_with_keys(quotas: str, algorithm: Algorithm) -> None:
    """Ten thousand clients leave no more behind for a collection to look at than a few dictionaries."""
    bench = Bench(quotas, algorithm, bound=10_000)
    # A collection would take what it need not look at again, such as tuples of numbers, off its list.
    gc.disable()
    try:
        before = len(gc.get_objects())
        for number in range(10_000):
            bench.ask(str(number))
        assert len(bench.store) == 10_000
        assert len(gc.get_objects()) - before < 1200
    finally:
        gc.enable()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_key_has_used_of_three_quotas_is_small(algorithm: Algorithm) -> None:
    """A count is no larger than its quota asks for: with 120 bytes of its name and place, a key has 200."""
    assert sys.getsizeof(judge(parse_quotas("10/second; 1000/minute; 10000/day", algorithm)).untouched) <= 80
