"""The lag of an event loop: found when it lasts, forgotten when it is over, and bounded meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.shedding.gate import CROWD, SUSTAINED
from garrison.shedding.lag import LoopLag
from garrison.shedding.pulse import SLOWEST_BEAT, Pulse
from tests.toolkit.shedding.queueing import Loop, computed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

CAPACITY = 500.0


def two_ms(_: Random) -> float:
    """Every request computes for two milliseconds."""
    return 0.002


def fine() -> LoopLag:
    """What `adaptive` has."""
    return LoopLag(0.05, SUSTAINED, CROWD)


def valve() -> LoopLag:
    """What there is by default."""
    return LoopLag(0.5, 2.0, 32)


def test_twice_what_can_be_computed_is_served_as_one() -> None:
    """At twice the capacity most of it is served in time, and nothing is late."""
    found = computed([(5, 250), (10, 1000)], two_ms, fine())
    assert found.goodput(5, 15) >= 0.85 * CAPACITY
    assert found.p99(5, 15) <= 0.3


def test_without_it_nothing_is_in_time() -> None:
    """The model is one of an overload: with nothing refused, goodput is gone."""
    found = computed([(5, 250), (10, 1000)], two_ms, LoopLag(1e9, 1e9, 1))
    assert found.shed == []
    assert found.goodput(5, 15) < 0.1 * CAPACITY


def test_the_default_valve_keeps_the_loop_going() -> None:
    """With the default alone work goes on at full speed, and the wait stays near the lag that it allows."""
    found = computed([(5, 250), (30, 1000)], two_ms, valve())
    latencies = found.latencies(12, 35)
    assert len(latencies) >= 0.85 * CAPACITY * 23
    assert latencies[-1] < 2.5


@pytest.mark.parametrize("lag", [fine, valve], ids=["adaptive", "default"])
def test_nothing_is_refused_once_the_load_is_over(lag: Callable[[], LoopLag]) -> None:
    """Two seconds after an overload nothing is refused any more."""
    found = computed([(5, 250), (10, 1000), (10, 250)], two_ms, lag())
    assert found.refused(5, 15) > 1000
    assert found.refused(17) == 0


def bursts(chance: Random) -> float:
    """Now and then one computes for a fifth of a second."""
    return 0.2 if chance.random() < 0.002 else 0.001


@pytest.mark.parametrize("rate", [100, 400])
def test_a_busy_loop_that_keeps_up_refuses_nothing(rate: float) -> None:
    """Half of what can be computed is no overload, and neither is a long computation now and then."""
    assert computed([(60, rate)], bursts, valve()).shed == []
    assert computed([(60, rate)], two_ms, fine()).shed == []


def test_a_turn_of_many_seconds_is_no_overload() -> None:
    """A process that was stopped for a while, or a handler that blocks once, is let to catch up."""
    for seconds in (0.3, 3.0, 6.0):
        left = iter([seconds])

        def costs(chance: Random, left: Iterator[float] = left) -> float:
            return next(left, 0.001) if chance.random() < 0.001 else 0.001

        for lag in (fine(), valve()):
            assert computed([(60, 400)], costs, lag).shed == []
    lag = valve()
    for stalled, requests, finished in ((10.0, 100, 1), (4.0, 900, 900), (0.01, 0, 0), (1.5, 300, 300)):
        lag.turn(stalled, requests, finished)
        assert not lag.overloaded


def test_slow_handlers_of_few_clients_are_let_be() -> None:
    """Handlers that block for a second make the loop lag, and with a handful of clients nobody is refused."""
    assert computed([(60, 0.8)], lambda _: 1.0, valve()).shed == []


def test_the_pulse_stops_when_nothing_arrives() -> None:
    """Nothing is left on the loop when the load is over, so that a process can end."""
    loop = Loop()
    computed([(5, 250), (5, 1000), (1, 250)], two_ms, fine(), loop=loop)
    assert loop.idle


def test_an_idle_loop_is_hardly_woken() -> None:
    """A loop that is prompt is asked ten times a second, and not in every turn."""
    loop = Loop()
    pulse = Pulse(valve(), loop.clock)
    pulse.start(loop)

    def request() -> None:
        pulse.begun += 1
        pulse.ended += 1

    loop.run([(number / 20, request) for number in range(200)], 10.0)
    assert loop.turns < 2 * 200 + 2 * 10 / SLOWEST_BEAT


def test_a_loop_that_ended_is_left() -> None:
    """A pulse that is started on another loop takes no notice of the first any more."""
    first, second = Loop(), Loop()
    pulse = Pulse(fine(), first.clock)
    pulse.start(first)
    pulse.begun += 1
    pulse.start(second)
    first.run([], 5.0)
    assert first.idle
    assert pulse.loop is second


def test_overlapping_work_bounds_what_is_new() -> None:
    """In a turn that is long with earlier work, only as much is taken on as is finished in proportion."""
    lag = LoopLag(0.05, 0.2, 4)
    for _ in range(3):
        lag.turn(0.2, 100, 40)
    assert lag.overloaded
    assert [lag.admits(0.0, taken, 1.0) for taken in (0, 9, 10)] == [True, True, False]
    assert [lag.admits(0.0, taken, 0.5) for taken in (4, 5)] == [True, False]
    assert lag.admits(0.04, 0, 1.0)
    assert not lag.admits(0.04, 0, 0.5)


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(0, 100), st.integers(0, 100))))
def test_whatever_turns_there_were_rest_is_recovery(turns: list[tuple[float, int, int]]) -> None:
    """After short turns of as long as it takes to be overloaded, everything is taken on again."""
    lag = LoopLag(0.05, 0.2, 4)
    for seconds, requests, finished in turns:
        lag.turn(seconds, requests, finished)
        assert lag.admits(0.0, 0, 1.0)
    for _ in range(9):
        lag.turn(0.025, 100, 100)
    assert not lag.overloaded
    assert lag.admits(1.0, 1000, 1.0)
