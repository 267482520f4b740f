"""Honest quotas of every kind pass, and those that let through more, or less, than they say are told."""

from __future__ import annotations

import random
from collections import deque
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.watch.observed import Observed
from garrison_harness.load.watch.quotas import Crowd, judge_quotas, suspected
from garrison_harness.load.watch.stretch import MOST_STRETCHES, Stretch, shortened
from garrison_harness.site import Quota

if TYPE_CHECKING:
    from collections.abc import Callable


def fixed_window(quota: Quota, start: float) -> Callable[[float], bool]:
    """Counts in windows that begin at multiples of the period, from `start` on."""
    counts: dict[int, int] = {}

    def passes(now: float) -> bool:
        window = int((now - start) // quota.period)
        counts[window] = counts.get(window, 0) + 1
        return counts[window] <= quota.limit

    return passes


def sliding_log(quota: Quota, _start: float) -> Callable[[float], bool]:
    """Remembers when each request came that it let through."""
    log: deque[float] = deque()

    def passes(now: float) -> bool:
        while log and log[0] <= now - quota.period:
            log.popleft()
        if len(log) >= quota.limit:
            return False
        log.append(now)
        return True

    return passes


def sliding_counter(quota: Quota, start: float) -> Callable[[float], bool]:
    """Weighs the count of the window before by how much of it is still near."""
    counts: dict[int, int] = {}

    def passes(now: float) -> bool:
        window, into = divmod(now - start, quota.period)
        weighed = counts.get(int(window) - 1, 0) * (1 - into / quota.period)
        if weighed + counts.get(int(window), 0) + 1 > quota.limit:
            return False
        counts[int(window)] = counts.get(int(window), 0) + 1
        return True

    return passes


def token_bucket(quota: Quota, _start: float) -> Callable[[float], bool]:
    """Refills evenly, and is full at first."""
    tokens, last = float(quota.limit), 0.0

    def passes(now: float) -> bool:
        nonlocal tokens, last
        tokens = min(quota.limit, tokens + (now - last) * quota.limit / quota.period)
        last = now
        if tokens < 1:
            return False
        tokens -= 1
        return True

    return passes


ALGORITHMS = (fixed_window, sliding_log, sliding_counter, token_bucket)


def seen(passes: Callable[[float], bool], moments: list[float], *, takes: float = 0.002) -> list[Stretch]:
    """What a load process tells of one client: a stretch for each second, and one up to the first refusal."""
    stretches: dict[tuple[int, bool], Stretch] = {}
    refused = False
    for moment in moments:
        passed = passes(moment + takes / 2)
        refused |= not passed
        sent, at = moment, moment + takes
        stretch = stretches.setdefault((int(at), refused), Stretch(began=sent, ended=at))
        stretch.add(sent=sent, at=at, status=200 if passed else 429)
    return list(stretches.values())


def moments(seed: int, seconds: float, per_second: float) -> list[float]:
    """When a client asks: all the time, with pauses of chance."""
    chance, now, found = random.Random(seed), 0.0, []  # noqa: S311 - a simulation
    while now < seconds:
        found.append(now)
        now += chance.expovariate(per_second) + 0.002
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("quota", ["20/minute", "100/minute", "5/second", "50/second", "10/3 second"])
def test_honest_quota_is_kept_whatever_its_algorithm(
    algorithm: Callable[[Quota, float], Callable[[float], bool]], quota: str
) -> None:
    """Windows that turn in the middle, refills and weighed counts are all exact, at any pace."""
    declared = Quota.parse(quota)
    for seed in range(12):
        chance = random.Random(seed)  # noqa: S311 - a simulation
        limiter = algorithm(declared, -chance.uniform(0, declared.period))
        asked = moments(seed, chance.uniform(1, 12), chance.choice([5, 60, 300]))
        promise = judge_quotas([declared], {"127.0.1.1": seen(limiter, asked)}, fresh=True)
        assert promise.verdict != "broken", (seed, promise.examples)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("quota", ["20/minute", "100/minute", "10/3 second"])
def test_one_request_too_many_breaks_the_promise(
    algorithm: Callable[[Quota, float], Callable[[float], bool]], quota: str
) -> None:
    """A limiter that lets through one more than is declared is told, once another client got as many.

    A window that turns just then lets through as many, so that one client alone proves nothing.
    """
    declared = Quota.parse(quota)
    lax = Quota(limit=declared.limit + 1, period=declared.period)
    clients = {"127.0.1.1": seen(algorithm(lax, -0.1), moments(1, 2.0, 1000))}
    assert suspected([declared], clients) == [declared]
    crowds = {declared: Crowd(passed=declared.limit, seconds=0.1)}
    assert judge_quotas([declared], clients, fresh=True, crowds=crowds).verdict == "kept"
    crowds = {declared: Crowd(passed=declared.limit + 1, seconds=0.1)}
    promise = judge_quotas([declared], clients, fresh=True, crowds=crowds)
    assert promise.verdict == "broken"
    assert f"pass a quota of {declared.limit} in" in promise.examples[0]


def test_more_than_two_windows_hold_needs_no_other_proof() -> None:
    """A quota that is not enforced at all, or by far too late, is told at once."""
    declared = Quota.parse("20/minute")
    clients = {"127.0.1.1": [Stretch(began=0, ended=1, passed=41)]}
    assert suspected([declared], clients) == []
    promise = judge_quotas([declared], clients, fresh=True)
    assert promise.examples == ("127.0.1.1: 41 requests pass a quota of 20 in 1.0 s",)


def test_burst_after_a_pause_is_seen() -> None:
    """A client that was quiet for long has not saved up more than its quota."""
    declared = Quota.parse("20/minute")
    calm = [Stretch(began=second, ended=second + 0.5, passed=1) for second in (0, 20, 40, 60)]
    burst = [*calm, Stretch(began=100, ended=100.5, passed=41)]
    assert judge_quotas([declared], {"a": burst}, fresh=True).verdict == "broken"
    assert judge_quotas([declared], {"a": calm}, fresh=True).verdict == "not judged"


def test_windows_that_would_have_to_turn_twice_are_no_excuse() -> None:
    """Turns are a period apart: bursts that need turns at other times break the promise."""
    declared = Quota.parse("10/3 second")
    burst = [Stretch(began=start, ended=start + 0.2, passed=passed) for start, passed in ((0, 15), (1.5, 15))]
    assert judge_quotas([declared], {"a": burst}, fresh=True).verdict == "broken"
    turned = [Stretch(began=start, ended=start + 0.2, passed=passed) for start, passed in ((0, 15), (3, 15))]
    assert judge_quotas([declared], {"a": turned}, fresh=True).verdict == "not judged"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("quota", ["20/minute", "100/minute", "10/3 second"])
def test_one_request_too_few_breaks_the_promise(
    algorithm: Callable[[Quota, float], Callable[[float], bool]], quota: str
) -> None:
    """A client that is refused before it had its quota is told, if nobody can have used the rest before."""
    declared = Quota.parse(quota)
    strict = Quota(limit=declared.limit - 3, period=declared.period)
    clients = {"127.0.1.1": seen(algorithm(strict, -0.1), moments(1, 0.9, 1000))}
    promise = judge_quotas([declared], clients, fresh=True)
    assert promise.verdict == "broken"
    assert f"of {declared.limit} requests" in promise.examples[0]
    assert judge_quotas([declared], clients, fresh=False).verdict == "kept"
    # So may whoever speaks from the address that the system picks for all.
    assert judge_quotas([declared], {"": clients["127.0.1.1"]}, fresh=True).verdict == "kept"


def test_quota_that_gives_nothing_more_after_its_first_window_is_told() -> None:
    """A counter that never expires locks clients out: a client that goes on for windows gets too little."""
    declared = Quota.parse("10/3 second")

    def stuck(now: float, counts: list[float] = []) -> bool:  # noqa: B006 - what it remembers
        counts.append(now)
        return len(counts) <= declared.limit

    promise = judge_quotas([declared], {"a": seen(stuck, moments(1, 12.0, 200))}, fresh=True)
    assert promise.verdict == "broken"


def test_client_that_another_quota_refuses_had_its_due() -> None:
    """With two quotas declared, the shorter one may be what refuses."""
    quotas = [Quota.parse("5/second"), Quota.parse("100/minute")]
    limits = [sliding_log(one, 0) for one in quotas]
    asked = moments(1, 3.0, 200)
    stretches = seen(lambda now: all([limit(now) for limit in limits]), asked)  # noqa: C419 - each counts
    assert judge_quotas(quotas, {"a": stretches}, fresh=True).verdict == "kept"
    assert judge_quotas(quotas[1:], {"a": stretches}, fresh=True).verdict == "broken"


def test_nobody_who_asked_for_more_proves_nothing() -> None:
    """Without a refusal, and without too many that pass, nothing is known of the quota."""
    stretches = {"a": [Stretch(began=0, ended=1, passed=3)], "b": []}
    promise = judge_quotas([Quota.parse("5/minute")], stretches, fresh=True)
    assert (promise.verdict, promise.detail) == (
        "not judged",
        "none of 1 client asked for more than its quota",
    )
    assert judge_quotas([], stretches, fresh=True).verdict == "not judged"


def test_requests_without_a_reply_may_have_counted() -> None:
    """What was cut off or refused with 503 used up some of the quota, perhaps."""
    one = Stretch(began=0, ended=1, passed=3, unanswered=2, refused=1, first_refusal=1, last_refusal=1)
    assert judge_quotas([Quota.parse("5/minute")], {"a": [one]}, fresh=True).verdict == "kept"


def test_long_run_keeps_its_counts_in_bounded_memory() -> None:
    """Stretches are joined, counts are not lost, and what passed before the first refusal stays by itself."""
    whole = Observed(clients={"a": [Stretch(began=0, ended=0.5, passed=20)]})
    for second in range(1, 2 * MOST_STRETCHES):
        refusal = Stretch(began=second, ended=second + 0.9, passed=1)
        refusal.add(sent=second, at=second + 0.5, status=429)
        whole.merge(Observed(clients={"a": [refusal]}, ids=1))
    found = Observed.from_record(whole.to_record()).clients["a"]
    assert len(found) <= MOST_STRETCHES
    assert (found[0].passed, found[0].refused) == (20, 0)
    assert sum(one.passed for one in found) == 20 + 2 * MOST_STRETCHES - 1
    assert sum(one.refused for one in found) == 2 * MOST_STRETCHES - 1
    assert found[-1].last_refusal == 2 * MOST_STRETCHES - 1 + 0.5
    assert whole.ids == 2 * MOST_STRETCHES - 1
    assert shortened(found) == found
