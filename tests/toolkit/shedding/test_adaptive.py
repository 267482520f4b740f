"""The adaptive limit: it protects a queue that nobody sees, and leaves alone whatever only looks like one."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from garrison.shedding.adaptive import LEAST, AdaptiveLimit
from garrison.shedding.fixed import FixedLimit
from tests.toolkit.shedding.queueing import Work, pooled

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Load = Callable[[Random, float], Work]

# Twenty servers of 40 ms each.
CAPACITY = 500.0


def steady(_: Random, __: float) -> Work:
    """Every request needs the pool for 40 ms."""
    return Work(0.04, pooled=True)


def uneven(chance: Random, _: float) -> Work:
    """Requests need the pool for 40 ms on average."""
    return Work(chance.expovariate(25), pooled=True)


def test_twice_the_capacity_is_served_as_one() -> None:
    """At twice the capacity as much is served in time as there can be, and nothing is late."""
    found = pooled([(5, 250), (10, 1000)], steady)
    assert found.goodput(5, 15) >= 0.97 * CAPACITY
    assert found.p99(5, 15) <= 0.25


def test_work_of_uneven_length_is_protected_too() -> None:
    """Requests of which some take long by chance are served in time at twice the capacity."""
    found = pooled([(5, 250), (10, 1000)], uneven)
    assert found.goodput(5, 15) >= 0.95 * CAPACITY
    assert found.p99(5, 15) <= 0.3


@pytest.mark.parametrize("times", [1.05, 1.5, 4.0])
def test_more_and_less_than_twice_is_served_as_well(times: float) -> None:
    """A little too much and far too much are both cut to what can be served."""
    found = pooled([(5, 250), (20, CAPACITY * times)], steady)
    assert found.goodput(5, 25) >= 0.95 * CAPACITY
    assert found.p99(10, 25) <= 0.25


def test_an_overload_from_the_first_request_on_is_found() -> None:
    """An app that is overloaded before anything is known of it is protected as well."""
    found = pooled([(15, 1000)], steady)
    assert found.goodput(0, 15) >= 0.9 * CAPACITY
    assert found.p99(2, 15) <= 0.3


def test_four_times_too_much_from_the_first_request_on() -> None:
    """A process that starts into a storm serves most of its capacity in time."""
    found = pooled([(15, 4 * CAPACITY)], steady)
    assert found.goodput(0, 15) >= 0.8 * CAPACITY


def test_nothing_is_refused_once_the_load_is_over() -> None:
    """Two seconds after an overload everything is as it was."""
    limit = AdaptiveLimit(0.05)
    found = pooled([(5, 250), (10, 1000), (10, 250)], steady, limit=limit)
    assert found.refused(5, 15) > 4000
    assert found.refused(17) == 0
    assert found.p99(17) < 0.06
    assert limit.limit == inf


def slow_calls(chance: Random, _: float) -> Work:
    """One in five takes three seconds, and the others 5 ms."""
    return Work(3.0 if chance.random() < 0.2 else 0.005)


def fast_refusals(chance: Random, _: float) -> Work:
    """One in twenty is refused by the app in half a millisecond; the others take 40 ms."""
    return Work(0.0005 if chance.random() < 0.05 else 0.04)


def half_slow(chance: Random, _: float) -> Work:
    """Every other takes three seconds."""
    return Work(3.0 if chance.random() < 0.5 else 0.005)


def only_slow(chance: Random, _: float) -> Work:
    """All take between two and four seconds."""
    return Work(chance.uniform(2, 4))


def more_and_more_polls(chance: Random, now: float) -> Work:
    """A slow route takes the place of a fast one little by little."""
    if chance.random() < min(1.0, now / 30):
        return Work(chance.uniform(2, 4), route="/poll")
    return Work(0.005)


def many_routes(chance: Random, _: float) -> Work:
    """A thousand routes, each with a latency of its own."""
    number = chance.randrange(1000)
    return Work(0.001 * number, route=f"/{number}")


def hiccup(_: Random, now: float) -> Work:
    """For a third of a second nothing is answered, and then all at once."""
    return Work(0.04 + (30.3 - now if 30 < now < 30.3 else 0.0))


@pytest.mark.parametrize(
    "load",
    [slow_calls, fast_refusals, half_slow, only_slow, more_and_more_polls, hiccup],
    ids=lambda load: load.__name__,
)
@pytest.mark.parametrize("rates", [(200, 200), (50, 500)], ids=["even", "tenfold"])
def test_a_healthy_mixture_sheds_nothing(load: Load, rates: tuple[float, float]) -> None:
    """Whatever the app answers without a queue is let in, also when ten times as much of it comes at once."""
    low, high = rates
    found = pooled([(25, low), (10, high), (10, low)], load)
    assert found.refused() == 0


@settings(max_examples=12, deadline=None)
@given(
    slow=st.floats(0, 1),
    long=st.floats(0.01, 5),
    short=st.floats(0.001, 0.1),
    rate=st.floats(10, 300),
    seed=st.integers(0, 1000),
)
@example(slow=0.84, long=3.8, short=0.04, rate=85, seed=523)
@example(slow=0.89, long=2.0, short=0.06, rate=260, seed=234)
@example(slow=0.74, long=4.7, short=0.07, rate=270, seed=113)
def test_no_mixture_of_two_latencies_sheds_anything(
    slow: float, long: float, short: float, rate: float, seed: int
) -> None:
    """Two latencies in any proportion are no overload."""

    def load(chance: Random, _: float) -> Work:
        return Work(long if chance.random() < slow else short)

    assert pooled([(20, rate)], load, seed=seed).refused() == 0


@settings(max_examples=8, deadline=None)
@given(
    servers=st.integers(5, 100),
    seconds=st.floats(0.005, 0.1),
    times=st.floats(1.5, 3),
    seed=st.integers(0, 1000),
)
def test_every_pool_is_protected(servers: int, seconds: float, times: float, seed: int) -> None:
    """Whatever the size of the pool and the time that work takes, most of its capacity is served in time."""
    capacity = servers / seconds
    if capacity > 2000:
        servers = int(2000 * seconds)
        capacity = servers / seconds
    if capacity < 100:
        return

    def load(_: Random, __: float) -> Work:
        return Work(seconds, pooled=True)

    found = pooled([(4, capacity / 2), (8, capacity * times)], load, servers=servers, seed=seed)
    assert found.goodput(6, 12) >= 0.85 * capacity
    assert found.p99(6, 12) <= 0.3


def test_an_app_that_becomes_slower_is_not_cut_for_long() -> None:
    """Replies that take 100 ms longer from some moment on, without any queue, soon are usual."""

    def load(_: Random, now: float) -> Work:
        return Work(0.04 if now < 20 else 0.14)

    found = pooled([(40, 500)], load)
    assert found.refused(0, 20) == 0
    assert found.refused(20, 25) < 1000
    assert found.refused(25) == 0


def test_a_pool_that_becomes_slower_is_still_protected() -> None:
    """Where the capacity falls, what is left of it is served in time."""

    def load(_: Random, now: float) -> Work:
        return Work(0.04 if now < 10 else 0.1, pooled=True)

    found = pooled([(30, 400)], load)
    assert found.goodput(12, 30) >= 0.9 * 200
    assert found.p99(14, 30) <= 0.3


def test_fast_refusals_beside_a_queue_do_not_hide_it() -> None:
    """An overload is found although one reply in twenty does not wait for the pool."""

    def load(chance: Random, _: float) -> Work:
        return Work(0.0005) if chance.random() < 0.05 else Work(0.04, pooled=True)

    found = pooled([(5, 250), (10, 1000)], load)
    assert found.goodput(5, 15) >= 0.95 * CAPACITY
    assert found.p99(5, 15) <= 0.3


def test_a_few_are_always_let_in() -> None:
    """However late replies are, the limit leaves room for a few, so that it can be seen when they are not."""
    limit = AdaptiveLimit(0.05)
    now = 0.0
    for number in range(3000):
        now += 0.01
        limit.sample("/", now - (0.01 if number < 100 else 0.01 * number), now, 1)
        assert limit.limit >= LEAST


def test_a_fixed_limit_is_what_it_says() -> None:
    """As many as the number says are in flight, and no latency changes that."""
    limit = FixedLimit(2)
    limit.sample("/", 0.0, 100.0, 2)
    assert [limit.refuses(count, 0.0) for count in (0, 1, 2, 3)] == [False, False, True, True]
