"""Runs that end early because a threshold says so."""

from __future__ import annotations

from garrison_harness.load.aborting import AbortWatch
from garrison_harness.load.delta import Delta
from garrison_harness.load.thresholds import parse_threshold
from tests.harness.load.recorded import account, tally

NEWS = Delta()


def watching(*expressions: str) -> AbortWatch:
    """A watch over these thresholds."""
    return AbortWatch(map(parse_threshold, expressions))


def test_missed_threshold_ends_the_run() -> None:
    """The first that is missed is named, with its value."""
    watch = watching("p95<1s abort", "p95<5ms abort", "avg<1us")
    assert watch(account({"GET /": tally(10)}), NEWS) == "p95<5ms abort was missed: 10 ms"
    assert watch.missed is not None
    assert (watch.missed.actual, watch.missed.passed) == (0.01, False)


def test_kept_threshold_and_one_that_does_not_abort_let_the_run_go_on() -> None:
    """Only a missed threshold that says abort is a reason to end."""
    assert watching("p95<1s abort", "avg<1us")(account({"GET /": tally(10)}), NEWS) is None


def test_abort_waits_for_its_time() -> None:
    """A slow start is no reason to end where the threshold says from when on it counts."""
    watch = watching("p95<5ms abort after 10s")
    assert watch(account({"GET /": tally(10)}, duration=9.9), NEWS) is None
    assert watch.missed is None
    assert watch(account({"GET /": tally(10)}, duration=10.0), NEWS) is not None


def test_nothing_measured_yet_is_no_reason_to_end() -> None:
    """Requests of a name may come later than others."""
    watch = watching("errors{name:GET /late}<1% abort", "p95<1ms abort", "rate>1 abort")
    assert watch(account({}, duration=0.0), NEWS) is None


def test_decision_to_end_is_not_taken_back() -> None:
    """What comes in while the run ends does not change why it ended."""
    watch = watching("errors<10% abort")
    assert watch(account({"GET /": tally(1, error="HTTP 500")}), NEWS) is not None
    recovered = account({"GET /": tally(*[1] * 100)})
    assert watch(recovered, NEWS) == "errors<10% abort was missed: 100%"
