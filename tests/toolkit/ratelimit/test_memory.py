"""The token bucket in memory: exact counts, and answers that a client can rely on."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import parse_quotas

if TYPE_CHECKING:
    from garrison.ratelimit.quota import Decision, Quota

# A machine's monotonic clock may have run for a year; rounding grows with it.
UPTIMES = [0, 12345, 31_536_000]


# What the store forgives, and what floats of a long uptime cannot tell, in requests.
FORGIVEN = Fraction(1, 1000)
ROUNDING = Fraction(1, 1_000_000)


class Bench:
    """A store with a clock that the test moves."""

    def __init__(self, quotas: str, *, start: float = 0.0, bound: int = 1000) -> None:
        self.now = start
        self.quotas = parse_quotas(quotas)
        self.store = MemoryStore(clock=lambda: self.now, bound=bound)

    def ask(self, key: str = "a", cost: int = 1, quotas: tuple[Quota, ...] | None = None) -> Decision:
        """One request of a client."""
        return asyncio.run(self.store.acquire(key, quotas or self.quotas, cost))

    def admitted(self, tries: int, key: str = "a") -> int:
        """How many of so many requests at once are allowed."""

        async def burst() -> int:
            decisions = [await self.store.acquire(key, self.quotas) for _ in range(tries)]
            return sum(decision.allowed for decision in decisions)

        return asyncio.run(burst())


class Buckets:
    """The plain model: buckets with exact levels, filled as time goes by."""

    def __init__(self, quotas: tuple[Quota, ...]) -> None:
        self.quotas = quotas
        self.levels = [Fraction(quota.limit) for quota in quotas]
        self.then = Fraction(0)

    def ask(self, now: Fraction, decided: bool) -> bool:
        """Whether a request is allowed, forgiving a thousandth.

        A level that is missing that thousandth to a millionth may go either way, as it was decided: no
        clock of floats can tell.
        """
        rates = [Fraction(quota.limit) / Fraction(quota.period) for quota in self.quotas]
        self.levels = [
            min(Fraction(quota.limit), level + (now - self.then) * rate)
            for quota, level, rate in zip(self.quotas, self.levels, rates, strict=True)
        ]
        self.then = now
        missing = [1 - FORGIVEN - level for level in self.levels]
        allowed = all(gap <= 0 for gap in missing)
        if allowed != decided and any(abs(gap) < ROUNDING for gap in missing):
            allowed = decided
        if allowed:
            self.levels = [level - 1 for level in self.levels]
        return allowed


@pytest.mark.parametrize("start", UPTIMES)
@pytest.mark.parametrize(("quota", "count"), [("1/second", 1), ("5/minute", 5), ("1000/second", 1000)])
def test_a_burst_gets_its_quota_and_not_one_more(quota: str, count: int, start: float) -> None:
    """A full bucket admits exactly its limit at once, however long the machine has been up."""
    assert Bench(quota, start=start).admitted(count + 5) == count


@pytest.mark.parametrize("start", UPTIMES)
def test_a_client_who_keeps_the_pace_is_never_refused(start: float) -> None:
    """Once the burst is spent, requests at exactly the quota's rate all pass, and faster ones do not."""
    bench = Bench("60/minute", start=start)
    assert bench.admitted(61) == 60
    for _ in range(200):
        bench.now += 1.0
        assert bench.admitted(2) == 1


def test_a_client_waits_for_his_own_bucket_only() -> None:
    """One client's burst leaves every other client's quota whole."""
    bench = Bench("3/minute")
    assert bench.admitted(9, "a") == 3
    assert bench.admitted(9, "b") == 3


@example("3/second; 10/minute", [1001, 3000, 3000, 0, 0, 333], 0)
@example("3/second; 10/minute", [0, 333], 12345)
@given(
    st.sampled_from(["5/second", "7/minute", "3/second; 10/minute", "100/minute; 101/minute; 2/second"]),
    st.lists(st.integers(0, 3000), min_size=1, max_size=60),
    st.sampled_from(UPTIMES),
)
def test_decisions_are_those_of_plain_buckets(text: str, pauses: list[int], start: int) -> None:
    """Whatever the rhythm, each decision and each number is that of buckets with exact arithmetic."""
    bench, model = Bench(text, start=start), Buckets(parse_quotas(text))
    elapsed = 0

    async def compare(milliseconds: int) -> None:
        bench.now = start + milliseconds / 1000
        decision = await bench.store.acquire("a", bench.quotas)
        assert decision.allowed == model.ask(Fraction(milliseconds, 1000), decision.allowed)
        for standing, level in zip(decision.standings, model.levels, strict=True):
            exact = level + FORGIVEN
            assert standing.remaining in {floor(exact - ROUNDING), floor(exact + ROUNDING)}

    async def main() -> None:
        nonlocal elapsed
        for pause in pauses:
            elapsed += pause
            await compare(elapsed)

    asyncio.run(main())


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


@given(st.integers(1, 50), st.integers(1, 3600), st.integers(0, 120), st.sampled_from(UPTIMES))
def test_retry_after_is_true(limit: int, period: int, later: int, start: int) -> None:
    """Who waits as long as he is told is admitted, and who comes noticeably earlier is not."""
    bench = Bench(f"{limit}/{period}second", start=start)
    bench.admitted(limit)
    bench.now += later / 7
    refused = bench.ask()
    if refused.allowed:
        return
    step = bench.quotas[0].period / limit
    told = bench.now
    bench.now = told + refused.retry_after - step / 100
    assert not bench.ask().allowed
    bench.now = told + refused.retry_after
    assert bench.ask().allowed


def test_more_is_there_when_it_was_promised() -> None:
    """After the seconds that a standing names, one more unit remains, and not before."""
    bench = Bench("10/minute")
    for _ in range(7):
        standing = bench.ask().standings[0]
    assert (standing.remaining, ceil(standing.more_after)) == (3, 6)
    bench.now += 3
    standing = bench.ask().standings[0]
    assert (standing.remaining, round(standing.more_after, 6)) == (2, 3)
    bench.now += 3
    assert bench.ask().standings[0].remaining == 2


def test_a_dear_request_takes_more_units() -> None:
    """A cost of four leaves six of ten, and a cost that does not fit takes nothing."""
    bench = Bench("10/minute")
    assert bench.ask(cost=4).standings[0].remaining == 6
    refused = bench.ask(cost=7)
    assert (refused.allowed, refused.standings[0].remaining) == (False, 6)
    assert bench.ask(cost=6).allowed


def test_a_flood_of_clients_does_not_free_a_blocked_one() -> None:
    """When memory is full, new clients share one quota, and nobody who is remembered is forgotten."""
    bench = Bench("2/minute", bound=10)
    assert bench.admitted(3, "attacker") == 2
    assert sum(bench.admitted(1, f"flood {number}") for number in range(500)) == 9 + 2
    assert len(bench.store) == 11
    assert bench.admitted(1, "attacker") == 0


def test_a_client_keeps_his_bucket_when_memory_is_full() -> None:
    """Who was remembered before the flood is not moved into the shared bucket when memory turns over."""
    bench = Bench("2/minute", bound=3)
    bench.ask("first")
    bench.now = 50.0
    assert bench.admitted(3, "attacker") == 2
    for number in range(2):
        bench.ask(f"flood {number}")
    bench.now = 61.0
    assert bench.admitted(1, "attacker") == 0


def test_each_target_has_its_own_shared_bucket() -> None:
    """Beyond the bound, targets with other quotas do not get into each other's way."""
    bench = Bench("2/minute", bound=1)
    bench.admitted(1, "remembered")
    several = parse_quotas("5/second; 9/hour")
    assert bench.ask("new one").allowed
    assert bench.ask("new two", quotas=several).standings[1].remaining == 8
    assert bench.ask("new three").standings[0].remaining == 0
    assert bench.ask("new four", quotas=several).standings[1].remaining == 7


def test_clients_who_are_gone_are_let_go() -> None:
    """Memory holds who came in the last two periods, and a blocked client stays blocked meanwhile."""
    bench = Bench("1/minute")
    for number in range(100):
        bench.ask(f"passer-by {number}")
    for _ in range(24):
        bench.now += 10
        bench.admitted(2, "regular")
        assert not bench.ask("regular").allowed
    assert len(bench.store) == 1
