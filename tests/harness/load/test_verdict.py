"""What a run says in the end, and why: the table of the documentation, row by row."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.load.arrivals import Arrivals
from garrison_harness.load.capacity import Capacity, Step
from garrison_harness.load.generator import How, Outcome
from garrison_harness.load.health import Health, assess
from garrison_harness.load.promise import Promise
from garrison_harness.load.tally import Tally
from garrison_harness.load.thresholds import Judgement, parse_threshold
from garrison_harness.load.verdict import EXIT_STATUSES, rule
from tests.harness.load.recorded import OPEN, account

if TYPE_CHECKING:
    from garrison_harness.load.verdict import Ruling

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "load-thresholds.md"
WELL = Health()
LIMITED = Health(reasons=("the load process used more than 90% of its core: take fewer users",))
FINISHED = Outcome(how="finished", account=account())
BROKEN = Promise(id="ids", title="every reply has an id", verdict="broken", detail="2 of 20 had none")


def missed(expression: str, actual: float | None = 1.0) -> Judgement:
    """A threshold that was missed."""
    return Judgement(threshold=parse_threshold(expression), actual=actual, passed=False)


def kept(expression: str = "p95<1s") -> Judgement:
    """A threshold that was kept."""
    return Judgement(threshold=parse_threshold(expression), actual=0.0, passed=True)


def rows() -> list[tuple[str, str, str]]:
    """What happened, the verdict, and that of a limited generator, as the page has them."""
    text = PAGE.read_text(encoding="utf-8").partition("| what happened |")[2]
    found = re.findall(r"^\| (.+) \| (\w+) \| (\w+) \|$", text, re.MULTILINE)
    assert len(found) == 17
    return [(what, first, second) for what, first, second in found]


def outcomes(what: str, health: Health) -> list[Ruling]:
    """The rulings on every case that a row speaks of."""
    undecided = replace(missed("diff(p95)<1ms"), undecided=True)
    silent = Outcome(how="finished", account=account({}))
    dropping = Outcome(how="finished", account=account(arrivals=Arrivals(due=1000, dropped=2)))
    gave_way = Step(level=1.0, held=False, why="p95 took off", limited=health.limited)
    nothing_held = Capacity(unit="users", steps=(gave_way,))
    deaths: list[How] = ["interrupted", "target died", "generator died", "generator stuck"]
    cases = {
        "every threshold was kept": [rule(FINISHED, [kept()], health=health)],
        "a difference that is too uncertain to tell": [rule(FINISHED, [kept(), undecided], health=health)],
        "a name or a tag that no request had": [
            rule(FINISHED, [missed("p95{name:x}<1s", None)], health=health)
        ],
        "hardening that did not hold under load": [
            rule(FINISHED, [kept()], health=health, promises=[BROKEN])
        ],
        "more than 0.1 % of the arrivals dropped, and every threshold kept": [
            rule(dropping, [kept("dropped<5%")], health=health)
        ],
        "every threshold was kept, and [`--compare`](compare-loads.md) concludes nothing": [
            rule(FINISHED, [kept()], health=health, unsettled=["too few rounds"])
        ],
        "a search (`--profile stress`) in which not even the smallest load held": [
            rule(FINISHED, [missed("p95<1s")], health=health, capacity=nothing_held)
        ],
        "no request was sent": [rule(silent, [kept()], health=health)],
        "interrupted, or the target or the load process died": [
            rule(Outcome(how=how, account=account()), [missed("errors<1%"), kept()], health=health)
            for how in deaths
        ],
    }
    if what in cases:
        return cases[what]
    expressions = re.findall(r"`(.+?)`", what)
    assert expressions, f"a row that no case stands for: {what}"
    return [rule(FINISHED, [kept(), missed(one)], health=health) for one in expressions]


@pytest.mark.parametrize(("what", "well", "limited"), rows())
def test_verdict_is_that_of_the_table(what: str, well: str, limited: str) -> None:
    """A limited generator excuses what it can cause, and nothing else."""
    assert {ruling.verdict for ruling in outcomes(what, WELL)} == {well}
    assert {ruling.verdict for ruling in outcomes(what, LIMITED)} == {limited}


def test_exit_statuses_are_those_of_every_command() -> None:
    """0 for passed, 1 for failed and 4 for inconclusive."""
    assert EXIT_STATUSES == {"passed": 0, "failed": 1, "inconclusive": 4}


def test_failure_outweighs_what_is_inconclusive() -> None:
    """An error is one, however busy the generator was."""
    judgements = [missed("p95<1s"), missed("errors<1%")]
    assert rule(FINISHED, judgements, health=LIMITED).verdict == "failed"


@pytest.mark.parametrize(
    ("late", "starved", "expression", "verdict"),
    [
        # As many as move this percentile, and as few as do not.
        (26, 0, "p95<1s", "inconclusive"),
        (25, 0, "p95<1s", "failed"),
        (6, 0, "p99<1s", "inconclusive"),
        (5, 0, "p99<1s", "failed"),
        (1, 0, "max<1s", "inconclusive"),
        (0, 0, "max<1s", "failed"),
        (200, 0, "med<1s", "failed"),
        # Of which requests they are is not known, nor how late.
        (10, 0, "p95{name:GET /}<1s", "inconclusive"),
        (9, 0, "p95{name:GET /}<1s", "failed"),
        (10, 0, "avg<1s", "inconclusive"),
        (9, 0, "rate>5", "failed"),
        # Whoever kept more of them waiting.
        (1, 0, "late==0", "inconclusive"),
        (20, 500, "dropped<0.1%", "failed"),
        (500, 20, "dropped<0.1%", "inconclusive"),
    ],
)
def test_late_arrivals_excuse_what_so_many_can_cause(
    late: int, starved: int, expression: str, verdict: str
) -> None:
    """A few arrivals that a busy machine started late hide no target that is slow all the time."""
    seen = account(arrivals=Arrivals(due=1000, late=late + starved, starved=starved))
    health = assess(seen, OPEN)
    ruling = rule(Outcome(how="finished", account=seen), [missed(expression)], health=health)
    assert ruling.verdict == verdict
    if verdict == "inconclusive":
        assert f"the generator was the limit: {late} of 1,000 arrivals were not started" in str(ruling.reason)


def test_few_dropped_arrivals_are_load_as_asked() -> None:
    """One arrival in a thousand may be missing."""
    seen = account(arrivals=Arrivals(due=1000, dropped=1))
    ruling = rule(Outcome(how="finished", account=seen), [kept()], health=LIMITED)
    assert ruling.verdict == "passed"


def test_search_in_which_nothing_held_says_what_gave_way() -> None:
    """What broke the smallest load is the reason, unless hardening broke too."""
    capacity = Capacity(unit="users", steps=(Step(level=1.0, held=False, why="p95 took off"),))
    ruling = rule(FINISHED, [missed("p95<1s")], health=WELL, capacity=capacity)
    assert ruling.reason == "nothing held: p95 took off"
    limited = Capacity(unit="users", steps=(replace(capacity.steps[0], limited=True),))
    ruling = rule(FINISHED, [], health=LIMITED, promises=[BROKEN], capacity=limited)
    assert ruling.verdict == "failed"
    assert ruling.reason is not None
    assert "every reply has an id" in ruling.reason


def test_comparison_that_concludes_nothing_is_inconclusive() -> None:
    """Its reason is that of the run, unless something failed."""
    ruling = rule(FINISHED, [kept()], health=WELL, unsettled=["too few rounds"])
    assert (ruling.verdict, ruling.reason) == ("inconclusive", "too few rounds")
    assert rule(FINISHED, [missed("errors<1%")], health=WELL, unsettled=["x"]).verdict == "failed"


@pytest.mark.parametrize(
    ("ruling", "words"),
    [
        (
            rule(FINISHED, [missed("p95<1s")], health=LIMITED),
            ("p95<1s was missed, but the generator was the limit: the load process used more than 90% of its"
            " core: take fewer users"),
        ),
        (
            rule(Outcome(how="aborted", detail="p95<1s was missed: 2 s", account=account()),
                 [missed("p95<1s")], health=LIMITED),
            "aborted after 2.0 s: p95<1s was missed: 2 s, but the generator was the limit: the load process",
        ),
        (
            rule(Outcome(how="finished", account=account(arrivals=Arrivals(due=10, dropped=5))),
                 [kept()], health=LIMITED),
            "the target was not loaded as asked, since the generator was the limit: the load process",
        ),
        (
            rule(FINISHED, [replace(missed("diff(p95)<1ms"), undecided=True)], health=WELL),
            "diff(p95)<1ms cannot be told from 1 s, which is uncertain by more than that",
        ),
        (
            rule(FINISHED, [kept()], health=WELL, promises=[BROKEN, BROKEN]),
            "did not keep what it keeps when quiet: every reply has an id, and 1 more",
        ),
    ],
)  # fmt: skip
def test_reason_is_one_line_that_names_the_cause(ruling: Ruling, words: str) -> None:
    """Whoever reads it knows what to do next."""
    assert ruling.reason is not None
    assert words in ruling.reason
    assert "\n" not in ruling.reason


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("interrupted", "interrupted after 2.0 s"),
        ("target died", "the target died under load (signal 9) after 2.0 s"),
        ("generator died", "the load process died (signal 9) after 2.0 s"),
        ("generator stuck", "did not end in time"),
    ],
)
def test_reason_says_why_a_run_is_partial(how: How, words: str) -> None:
    """A run that was cut short says what happened, when, and that its figures are partial."""
    outcome = Outcome(how=how, detail="signal 9" if "died" in how else "", account=account())
    reason = rule(outcome, [kept()], health=WELL).reason
    assert reason is not None
    assert words in reason
    assert "partial" in reason


def test_run_without_a_request_says_what_kept_it() -> None:
    """The first error in a task is likely why nothing was sent."""
    raised = Tally()
    raised.task_error("in a task: LookupError")
    reason = rule(Outcome(how="finished", account=account({"tasks": raised})), [], health=WELL).reason
    assert reason == (
        "no request was sent: in a task: LookupError; a run that measures nothing proves nothing"
    )


def test_aborted_run_failed_and_says_so() -> None:
    """An abort is a failure with its threshold, its value and its time."""
    outcome = Outcome(how="aborted", detail="errors<1% was missed: 50%", account=account())
    ruling = rule(outcome, [missed("errors<1% abort")], health=WELL)
    assert (ruling.verdict, ruling.reason) == (
        "failed",
        "aborted after 2.0 s: errors<1% was missed: 50%",
    )


def test_missed_thresholds_need_no_other_reason() -> None:
    """The FAIL lines say it."""
    assert rule(FINISHED, [missed("p95<1s")], health=WELL).reason is None
    assert rule(FINISHED, [kept()], health=WELL).reason is None
