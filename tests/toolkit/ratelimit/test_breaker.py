"""The breaker opens when asking is pointless, and closes when a probe says that it is not."""

from __future__ import annotations

from garrison.ratelimit.breaker import FAILURES, Breaker


class Clock:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failed(breaker: Breaker, clock: Clock, times: int = FAILURES) -> list[bool]:
    """Let so many asks fail one after the other, and say which of them opened the breaker."""
    found = []
    for _ in range(times):
        began = clock.now = clock.now + 0.001
        clock.now += 0.025
        found.append(breaker.fail(began))
    return found


def test_opens_after_a_few_failures_in_a_row() -> None:
    """A store that fails again and again is not asked any more, from a moment that is known."""
    clock = Clock()
    breaker = Breaker(clock)
    assert failed(breaker, clock) == [False] * (FAILURES - 1) + [True]
    assert breaker.opened == clock.now
    assert failed(breaker, clock, 1) == [False]


def test_an_answer_in_between_begins_the_count_anew() -> None:
    """A store that fails now and then is asked all the same."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(10):
        assert failed(breaker, clock, FAILURES - 1) == [False] * (FAILURES - 1)
        breaker.succeed()
    assert breaker.opened is None


def test_what_fails_together_counts_once() -> None:
    """A thousand decisions that wait for the same round trip say no more than one of them."""
    clock = Clock()
    breaker = Breaker(clock)
    began = clock.now
    clock.now += 0.025
    assert not any(breaker.fail(began + number * 0.00001) for number in range(1000))


def test_begins_anew_once_it_is_closed() -> None:
    """After an outage it says how long that was, and takes as many failures as before to open again."""
    clock = Clock()
    breaker = Breaker(clock)
    failed(breaker, clock)
    clock.now += 7
    assert breaker.close() == 7
    assert breaker.opened is None
    assert failed(breaker, clock) == [False] * (FAILURES - 1) + [True]
