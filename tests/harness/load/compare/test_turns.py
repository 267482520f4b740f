"""Variants that are loaded in turn, on real servers: what differs is seen, and what does not is not."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.turns import Variant, take_turns, turn_of
from garrison_harness.load.generator import Outcome
from garrison_harness.load.plan import Plan, Stage
from garrison_harness.running import running
from garrison_harness.target import UsageFault, parse_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.account import Account
    from garrison_harness.load.compare.difference import Difference
    from garrison_harness.load.delta import Delta
    from garrison_harness.running import Running

APPS = Path(__file__).parent / "apps"
PLAN = Plan(rate=100, duration=1.0)
PROOF = os.environ.get("PROOF") == "1"


def test_a_plan_is_done_in_each_round_in_less_time() -> None:
    """Rounds share the duration, and a ramp is as high in each of them."""
    plan = Plan(rate=50, duration=20, stages=(Stage(seconds=10, level=50), Stage(seconds=10, level=5)))
    turn = turn_of(plan, 10)
    assert (turn.duration, turn.rate) == (2.0, 50)
    assert turn.stages == (Stage(seconds=1.0, level=50), Stage(seconds=1.0, level=5))


def test_rounds_that_are_too_short_are_refused() -> None:
    """The line says what would do."""
    with pytest.raises(
        UsageFault, match=r"1s in 10 rounds leaves 0.1 s for each: .* --duration 2s, or fewer"
    ):
        turn_of(Plan(duration=1.0), 10)
    assert turn_of(Plan(duration=2.0), 10).duration == 0.2


@dataclass
class Turns:
    """An app, and the same made 200 ms slower, loaded in turn."""

    variants: list[Variant]
    outcome: Outcome
    heard: list[tuple[float, int]] = field(default_factory=list)


@contextmanager
def served(*names: str) -> Iterator[list[Running]]:
    """Apps that are up, each in a process of its own."""
    uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(APPS), "--log-level", "warning"]
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(parse_target([*uvicorn, "--port", "{port}", f"layered:{name}"])))
            for name in names
        ]


def compared(one: Variant, other: Variant) -> dict[str, Difference]:
    """A variant held against another: what is said of each figure."""
    comparison = Comparison(
        baseline="bare",
        interleaved=True,
        baseline_rounds=tuple(one.rounds),
        target_rounds=tuple(other.rounds),
    )
    return {difference.measure.name: difference for difference in comparison.differences}


@pytest.fixture(scope="module")
def turns() -> Turns:
    """Both loaded in turn, in five rounds of 0.2 s for each; once for all tests."""
    heard = []

    def listener(account: Account, _delta: Delta) -> None:
        heard.append((account.duration, account.tally.requests))

    with served("app", "slow") as ups:
        variants = [Variant(up) for up in ups]
        variants[1].listener = listener
        outcome = take_turns(variants, PLAN, rounds=5, warm_up=False)
    return Turns(variants, outcome, heard)


def test_an_app_held_against_itself_does_not_differ() -> None:
    """Two servers of the same app: no difference is seen, which is not to say that there is none."""
    with served("app", "app") as ups:
        variants = [Variant(up) for up in ups]
        take_turns(variants, Plan(rate=100, duration=5 if PROOF else 1), rounds=10 if PROOF else 5)
    found = compared(*variants)
    assert found["errors"].verdict == "no difference seen"
    # Also of two that are the same, one may have the worse seconds of a busy machine.
    if PROOF:
        assert "no difference seen" in {found[name].verdict for name in ("p50", "p95", "cpu")}
    assert found["p99"].verdict == "not judged", "50 requests in a round have no 99th percentile"


def test_what_a_dear_layer_takes_is_seen(turns: Turns) -> None:
    """200 ms more are in the median, whatever else the machine does, and errors are as they were."""
    found = compared(*turns.variants)
    assert found["errors"].verdict == "no difference seen"
    # How sure that is, is for a quiet machine to say; one round that stood still does not move the median.
    assert found["p50"].target is not None
    assert found["p50"].target >= 0.2
    assert found["p50"].change is not None
    assert found["p50"].change.value > 0.1
    assert found["p99"].verdict == "not judged", "20 requests in a round have no 99th percentile"


def test_rounds_are_the_whole_run_end_to_end(turns: Turns) -> None:
    """Nothing is lost between rounds, and the listener hears of one long run."""
    assert turns.outcome.how == "finished"
    assert turns.outcome.account is turns.variants[1].account
    for variant in turns.variants:
        whole = variant.account
        assert (len(variant.rounds), whole.arrivals.due) == (5, 100)
        assert whole.tally.requests == sum(one.requests for one in variant.rounds)
        assert whole.tally.requests == 100 - whole.arrivals.dropped
        assert whole.duration == pytest.approx(sum(one.duration for one in variant.rounds))
        assert sum(second.tally.requests for second in whole.series) == whole.tally.requests
        assert all(0 < (one.cpu or 0.0) < 5 for one in variant.rounds)
    assert turns.heard == sorted(turns.heard)
    whole = turns.variants[1].account
    assert turns.heard[-1] == (whole.duration, whole.tally.requests)


def test_a_variant_that_dies_ends_the_turns() -> None:
    """What was seen until then is kept, no half round counts, and the line says which one died."""
    with served("app", "app") as ups:

        def kill(_account: Account, _delta: Delta) -> None:
            ups[1].terminate()

        # The first of them begins.
        variants = [Variant(ups[0], listener=kill), Variant(ups[1], name="bare")]
        outcome = take_turns(variants, PLAN, rounds=5, warm_up=False)
    assert outcome.how == "target died"
    assert outcome.detail.startswith("bare: ")
    assert [variant.rounds for variant in variants] == [[], []]
    assert variants[0].account.arrivals.due == 20
