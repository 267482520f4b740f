"""The checks of bounds, quotas, ids, the wire and the stop on a gate with a fault, and on its twin."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from garrison_harness.audit import Outcome, audit
from garrison_harness.checks.catalogue import choose
from garrison_harness.finding import Confidence, Severity
from garrison_harness.in_process import Hosted
from garrison_harness.probe import has_addresses
from garrison_harness.process import Child
from garrison_harness.running import Running, running
from garrison_harness.site import Need, Quota, Site
from garrison_harness.target import parse_target
from tests.harness.apps import gate, usual
from tests.harness.commands import APPS, UVICORN, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from garrison_harness.stage import Reached

FAULTS = [
    *(f"R{number}" for number in range(1, 12)),
    *("L1", "L2", "L2 HEAD", "L3", "L4", "L5", "L6"),
    *("T1", "T2", "T3", "T4", "T5", "T6", "W1", "W2", "G3", "A2"),
]
STOPS = ["G1", "G2"]
OURS = choose(("R", "L", "T", "W", "G", "A"), ())
SITE = Site(
    authority="",
    canary="garrison-6a7e00",
    body_path="/json",
    slow_path="/slow",
    quota=Quota(limit=gate.QUOTA, period=gate.WINDOW),
    time_limit=gate.TIME_LIMIT,
    slow_limit=2 * gate.SLOW,
    concurrency=gate.AT_ONCE,
    max_body=gate.MAX_BODY,
)


def failed(outcome: Outcome) -> set[str]:
    """The checks with a confirmed finding."""
    return {
        result.check.id
        for result in outcome.results
        for finding in result.verdict.findings
        if finding.confidence is Confidence.CONFIRMED
    }


def reasons(outcome: Outcome) -> dict[str, str]:
    """Why checks were not run."""
    return {
        result.check.id: result.verdict.reason
        for result in outcome.results
        if result.verdict.status == "not run"
    }


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """The gate once for each fault, and once without, on ports of one process."""
    logs = tmp_path_factory.mktemp("gate")
    child = Child([sys.executable, str(APPS / "gate.py"), "0", "", *FAULTS], logs=logs, environment={})
    try:
        assert wait_until(lambda: child.stdout_path.read_text().endswith("}\n"), 30), child.log_tail(5)
        ports: dict[str, int] = json.loads(child.stdout_path.read_text())
        yield {fault: Running(host="127.0.0.1", port=port, child=child) for fault, port in ports.items()}
    finally:
        child.end()


def launch(fault: str) -> AbstractContextManager[Reached]:
    """A gate of its own."""
    return running(parse_target([sys.executable, str(APPS / "gate.py"), "{port}", fault]))


def ask(reached: Running, *names: str, fault: str = "", **changes: object) -> Outcome:
    """Audit a gate with some checks, or with all of these families."""
    site = replace(
        SITE,
        authority=f"127.0.0.1:{reached.port}",
        addresses=has_addresses("127.0.0.1", reached.port),
        **changes,  # type: ignore[arg-type]
    )
    checks = choose(names, ()) if names else OURS
    again = partial(launch, fault)
    return audit(reached, site, checks, timeout=60, progress=lambda _: None, launch=again)


def test_every_check_of_the_server_has_a_gate_that_fails_it() -> None:
    """No check is there that nobody has seen to find anything; A1 has an app that ends."""
    assert {check.id for check in OURS} == {fault.split(maxsplit=1)[0] for fault in FAULTS + STOPS} | {"A1"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(gates: dict[str, Running], fault: str) -> None:
    """What the check of this id looks for is found."""
    name = fault.split(maxsplit=1)[0]
    changes = {"slow_path": "/sleep"} if name == "R10" else {}

    outcome = ask(gates[fault], name, **changes)

    assert failed(outcome) == {name}, outcome.results


@pytest.mark.parametrize("fault", STOPS)
def test_a_careless_stop_is_found(gates: dict[str, Running], fault: str) -> None:
    """A second target is stopped, and what it does wrong meanwhile is found."""
    assert failed(ask(gates[""], *STOPS, fault=fault)) == {fault}


def test_the_twin_passes(gates: dict[str, Running]) -> None:
    """Every check is run, none finds anything, and it takes no longer than an audit may."""
    outcome = ask(gates[""])

    assert failed(outcome) == set()
    # The slow route that is within the bound is asked for by the others.
    assert set(reasons(outcome)) == {"R10"}
    assert outcome.duration < 20


def test_a_handler_that_is_ended_passes(gates: dict[str, Running]) -> None:
    """A 504 for the bound is what is asked for."""
    outcome = ask(gates[""], "R10", slow_path="/sleep")

    assert [result.verdict.status for result in outcome.results] == ["passed"]


@pytest.mark.parametrize("name", usual.APPS)
def test_an_app_that_only_looks_faulty_raises_no_alarm(name: str) -> None:
    """What answers alike for everything has no bound to be judged by; that no reply has an id is true."""
    site = replace(SITE, authority="garrison.test", sockets=False, quota=None, slow_path=None)
    checks = choose(("L", "T", "G", "A", "R3", "R4", "R5", "R7", "R8"), ())
    with Hosted(usual.APPS[name]) as hosted:
        outcome = audit(hosted, site, checks, timeout=30, progress=lambda _: None)

    assert failed(outcome) <= {"T1"}


@pytest.mark.parametrize("name", ["a single page", "an echo"])
def test_an_app_that_reads_no_body_is_not_judged_by_one(name: str) -> None:
    """What answers alike for every body shows nothing of what it would do with broken JSON."""
    site = replace(SITE, authority="garrison.test", sockets=False)
    with Hosted(usual.APPS[name]) as hosted:
        outcome = audit(hosted, site, choose(("R3", "R4"), ()), timeout=30, progress=lambda _: None)

    assert [result.verdict.status for result in outcome.results] == ["not run"] * 2
    assert "--body-path" in outcome.results[0].verdict.reason


def test_a_wall_before_everything_is_inconclusive() -> None:
    """A redirect to the login proves no more than a 401 does."""
    checks = choose(("R3", "R4", "I5", "L", "E4"), ())
    site = replace(SITE, authority="garrison.test", sockets=False, quota=None)
    with Hosted(usual.APPS["a wall before everything"]) as hosted:
        outcome = audit(hosted, site, checks, timeout=30, progress=lambda _: None)

    assert "leads to /login" in outcome.obstacle
    assert outcome.exit_status(Severity.MEDIUM) == 4
    judged = {result.check.id for result in outcome.results if result.verdict.status == "passed"}
    assert not judged & {"R3", "R4", "I5"}


def test_workers_that_count_alone_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them let pass twice the quota, which is no turn of a window if it happens twice."""
    monkeypatch.chdir(APPS)
    words = [*UVICORN, "--workers", "2", "--log-level", "warning", "counting_app:app"]
    # On a busy machine one of the two may take all connections, and then the quota holds.
    for _ in range(5):
        with running(parse_target(words)) as reached:
            outcome = ask(reached, "L3", quota=Quota(limit=10, period=60))
        if failed(outcome):
            break

    assert failed(outcome) == {"L3"}, outcome.results
    assert "of those of another client" in outcome.results[0].verdict.findings[0].message


def test_one_worker_that_counts_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same app in one process."""
    monkeypatch.chdir(APPS)
    with running(parse_target([*UVICORN, "counting_app:app"])) as reached:
        outcome = ask(reached, "L3", quota=Quota(limit=10, period=60))

    assert [result.verdict.status for result in outcome.results] == ["passed"]


def test_what_needs_more_than_an_app_says_so() -> None:
    """In process there is no connection, no log and nothing to stop; nothing declared is nothing judged."""
    site = replace(
        SITE, authority="garrison.test", sockets=False, quota=None, slow_path=None, time_limit=None,
        concurrency=None,
    )  # fmt: skip
    with Hosted(usual.APPS["an echo"]) as hosted:
        outcome = audit(hosted, site, OURS, timeout=30, progress=lambda _: None)

    told = reasons(outcome)
    assert told["R7"] == told["R8"] == told["A2"] == Need.SOCKET.value
    assert Need.TIME_LIMIT.value in told["R10"]
    assert Need.CONCURRENCY.value in told["R11"]
    assert told["T4"] == Need.SOCKET.value
    assert told["G1"] == Need.SOCKET.value
