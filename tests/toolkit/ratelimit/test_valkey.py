"""The Valkey store keeps the rules of every algorithm, for all quotas of a request at once."""

from __future__ import annotations

import asyncio
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.quota import Algorithm, Quota, parse_quotas
from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey import ValkeyStore
from tests.toolkit.ratelimit.models import ALGORITHMS, Referee
from tests.toolkit.ratelimit.servers import Server
from tests.toolkit.ratelimit.told import MICROSECONDS, TODAY, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.ratelimit.quota import Decision


@dataclass(frozen=True)
class Step:
    """What one key asks for next.

    Attributes:
        later: microseconds since the last step; less than 0 where the clock was set back.
        ask: `acquire`, `refund` or `standing`.
        cost: units.
    """

    later: int
    ask: str
    cost: int


STEPS = st.lists(
    st.builds(
        Step,
        later=st.one_of(
            st.sampled_from([0, 1, MICROSECONDS, 59_999_999, 60_000_000, 120_000_000, -3_600_000_000]),
            st.integers(-90_000_000, 200_000_000),
        ),
        ask=st.sampled_from(["acquire"] * 6 + ["refund", "standing"]),
        cost=st.sampled_from([1, 1, 1, 2, 3, 7, 20]),
    ),
    max_size=15,
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server for all tests of this module."""
    with Server() as found:
        yield found


@pytest.fixture
def told(server: Server) -> Iterator[Told]:
    """A store on a server whose clock the test sets."""
    with asyncio.Runner() as runner:
        found = Told(server, runner)
        yield found
        found.close()


def quotas_of(text: str, *algorithms: Algorithm) -> tuple[Quota, ...]:
    """Quotas with an algorithm each."""
    return tuple(
        replace(quota, algorithm=algorithm)
        for quota, algorithm in zip(parse_quotas(text), algorithms, strict=True)
    )


def follow(told: Told, quotas: tuple[Quota, ...], steps: list[Step]) -> None:
    """Let one key take steps, and judge what it is told."""
    told.forget()
    referee = Referee(quotas)
    micros = written = TODAY
    for step in steps:
        micros += step.later
        now = Fraction(micros, MICROSECONDS)
        told.at(micros)
        before = [copy(model) for model in referee.models]
        takes = step.ask == "acquire"
        if step.ask == "refund":
            told.run(told.store.refund("a", quotas, step.cost))
            referee.refund(now, step.cost)
        else:
            ask = told.store.acquire("a", quotas, step.cost) if takes else told.store.standing("a", quotas)
            decision = told.run(ask)
            referee.judge(now, step.cost if takes else 1, decision, taken=takes)
            if micros >= written and not (takes and decision.allowed):
                # What takes nothing writes nothing, and if the clock goes back then, time has not gone by.
                referee.models = before
                continue
        written = micros


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("text", ["7 per minute", "3/second", "100 per 7 seconds"])
def test_decides_as_the_model_whatever_the_clock_does(
    server: Server, algorithm: Algorithm, text: str
) -> None:
    """One quota is counted exactly, also while the server's clock is set forward and back."""
    with asyncio.Runner() as runner:
        told = Told(server, runner)
        quotas = quotas_of(text, algorithm)

        @given(STEPS)
        def judged(steps: list[Step]) -> None:
            follow(told, quotas, steps)

        judged()
        told.close()


def test_decides_for_all_quotas_at_once(server: Server) -> None:
    """Quotas of different algorithms stand together: all of them are taken from, or none."""
    with asyncio.Runner() as runner:
        told = Told(server, runner)
        quotas = quotas_of("5/minute; 20/hour; 3 per 10 seconds", *ALGORITHMS)

        @given(STEPS)
        def judged(steps: list[Step]) -> None:
            follow(told, quotas, steps)

        judged()
        told.close()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_is_not_blocked_by_a_clock_that_was_set_back(told: Told, algorithm: Algorithm) -> None:
    """A client that is refused when the server's clock goes back a day waits for a period, not for a day."""
    quotas = quotas_of("5/minute", algorithm)
    told.forget()
    told.at(TODAY)
    for _ in range(6):
        refused = told.run(told.store.acquire("a", quotas))
    assert not refused.allowed
    yesterday = TODAY - 86_400 * MICROSECONDS
    told.at(yesterday)
    again = told.run(told.store.acquire("a", quotas))
    assert not again.allowed
    assert again.retry_after <= 120
    told.at(yesterday + round(again.retry_after * MICROSECONDS))
    assert told.run(told.store.acquire("a", quotas)).allowed


def decisions(server: Server, quotas: tuple[Quota, ...], *costs: int, key: str = "a") -> list[Decision]:
    """What one client is told by the server's own clock, one request after the other."""

    async def ask() -> list[Decision]:
        store = ValkeyStore(server.url)
        try:
            return [await store.acquire(key, quotas, cost) for cost in costs]
        finally:
            await store.aclose()

    return asyncio.run(ask())


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_goes_by_the_time_of_the_server(server: Server, algorithm: Algorithm) -> None:
    """A client that waits as it was told is admitted, and a moment before it is not."""
    server.call("FLUSHDB")
    quotas = quotas_of("2/second", algorithm)

    def now() -> float:
        seconds, microseconds = server.call("TIME")
        return float(seconds + microseconds / 1e6)

    async def obey(key: str) -> tuple[bool, bool] | None:
        store = ValkeyStore(server.url)
        await store.acquire(key, quotas)
        await store.acquire(key, quotas)
        begun = now()
        refused = await store.acquire(key, quotas)
        await asyncio.sleep(refused.retry_after - 0.15)
        early = await store.acquire(key, quotas)
        in_time = now() < begun + refused.retry_after
        await asyncio.sleep(early.retry_after + 0.001)
        late = await store.acquire(key, quotas)
        await store.aclose()
        return (early.allowed, late.allowed) if in_time and not refused.allowed else None

    # On a busy machine it can be the client that is late; then there is nothing to see.
    found = (asyncio.run(obey(f"a{number}")) for number in range(20))
    assert next(seen for seen in found if seen is not None) == (False, True)


@pytest.mark.parametrize(
    ("algorithm", "shortest", "longest"),
    [
        ("token-bucket", 11_000, 12_001),
        ("fixed-window", 59_000, 60_001),
        ("sliding-window", 119_000, 120_001),
    ],
)
def test_keeps_a_key_no_longer_than_it_says_something(
    server: Server, algorithm: Algorithm, shortest: int, longest: int
) -> None:
    """A key ends by itself when its quotas are untouched again, whatever the algorithm."""
    server.call("FLUSHDB")
    decisions(server, quotas_of("5/minute", algorithm), 1)
    assert server.call("KEYS", "*") == [b"garrison:a"]
    assert shortest <= server.call("PTTL", "garrison:a") <= longest


def test_takes_nothing_on_refusal(server: Server) -> None:
    """A request that one quota refuses leaves the other as it was, down to the bytes at the server."""
    server.call("FLUSHDB")
    quotas = quotas_of("2/minute; 100/hour", "fixed-window", "token-bucket")
    decisions(server, quotas, 1, 1)
    before = server.call("HGETALL", "garrison:a"), server.call("PEXPIRETIME", "garrison:a")
    (refused,) = decisions(server, quotas, 1)
    assert [quota.name for quota in refused.refused_by] == ["2-per-minute"]
    assert before == (server.call("HGETALL", "garrison:a"), server.call("PEXPIRETIME", "garrison:a"))


def test_begins_anew_with_other_quotas(server: Server) -> None:
    """An operator may change quotas and algorithms while clients are counted, and nothing fails."""
    server.call("FLUSHDB")
    for algorithm in ALGORITHMS:
        for text in ("5/minute", "6/minute", "5/hour"):
            (first,) = decisions(server, quotas_of(text, algorithm), 1)
            assert first.standings[0].remaining == first.standings[0].quota.limit - 1


def test_keeps_clients_apart_whatever_their_keys_are(server: Server) -> None:
    """Keys that look alike to a careless store are different clients."""
    server.call("FLUSHDB")
    quotas = quotas_of("1/minute", "fixed-window")
    keys = [
        "a",
        "A",
        "a ",
        "a\n",
        "a/b",
        "a:b",
        "{a}b",
        "{a",
        "",
        "\0",
        "é",
        "e\N{COMBINING ACUTE ACCENT}",
        "\udc80",
        "*",
    ]
    assert all(decisions(server, quotas, 1, key=key)[0].allowed for key in keys)
    assert not any(decisions(server, quotas, 1, key=key)[0].allowed for key in keys)


def test_resets_one_client_only(server: Server) -> None:
    """Resetting a key forgets all its quotas, says whether there was anything, and leaves others alone."""
    server.call("FLUSHDB")
    quotas = quotas_of("1/minute; 1/hour", "fixed-window", "token-bucket")

    async def forgive() -> list[bool]:
        store = ValkeyStore(server.url)
        for key in ("a", "b"):
            await store.acquire(key, quotas)
        found = [await store.reset("a", quotas), await store.reset("a", quotas)]
        found += [(await store.acquire(key, quotas)).allowed for key in ("a", "b")]
        await store.aclose()
        return found

    assert asyncio.run(forgive()) == [True, False, True, False]


def test_does_not_create_what_is_given_back(server: Server) -> None:
    """A refund for a client that the server does not know leaves no key behind."""
    server.call("FLUSHDB")

    async def give() -> None:
        store = ValkeyStore(server.url)
        await store.refund("a", quotas_of("5/minute", "token-bucket"))
        await store.aclose()

    asyncio.run(give())
    assert server.call("DBSIZE") == 0


@pytest.mark.parametrize("cost", [0, -1])
def test_refuses_a_cost_that_gives_units_away(server: Server, cost: int) -> None:
    """A cost below 1 is a mistake of the caller and takes or gives nothing."""
    with pytest.raises(ValueError, match=f"a cost of at least 1, not {cost}"):
        decisions(server, quotas_of("5/minute", "token-bucket"), cost)


def test_a_key_of_somebody_else_fails_alone(server: Server) -> None:
    """A value that another program wrote under a client's key fails that client, not those beside it."""
    server.call("FLUSHDB")
    server.call("SET", "garrison:b", "theirs")
    quotas = quotas_of("5/minute", "token-bucket")

    async def ask() -> list[object]:
        store = ValkeyStore(server.url)
        found = await asyncio.gather(
            *(store.acquire(key, quotas) for key in ("a", "b", "c")), return_exceptions=True
        )
        await store.aclose()
        return [type(one).__name__ for one in found]

    assert asyncio.run(ask()) == ["Decision", StoreUnavailableError.__name__, "Decision"]
    assert server.call("GET", "garrison:b") == b"theirs"
