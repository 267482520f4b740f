"""The checks of errors, injection, methods, exposure and contract on a shop with a fault, and on its twin."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.audit import Outcome, audit
from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.discovery.document import routes_of
from garrison_harness.finding import Confidence
from garrison_harness.in_process import Hosted
from garrison_harness.probe import has_addresses
from garrison_harness.process import Child
from garrison_harness.running import Running
from garrison_harness.site import Need, Site
from tests.harness.apps import shop, usual
from tests.harness.commands import APPS, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.stage import Reached

# I1 takes a server that writes line breaks into headers, and has one in the audits of whole apps.
FAULTS = [
    *("E1", "E2", "E3", "E4", "E5", "E6"),
    *("I2", "I3", "I4", "I5", "I6", "I7", "I8"),
    *("M1", "M2", "M3", "M4", "X1", "X2", "X2 made up", "P1", "P2", "P3", "P4", "P5"),
]
OURS = choose(("E", "I", "M", "X", "P"), ())
SITE = Site(
    authority="garrison.test",
    canary="garrison-5e1f00",
    error_path="/raise",
    body_path="/items",
    routes=routes_of(shop.DOCUMENT),
    document=shop.DOCUMENT,
    directory=str(APPS),
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


def ask(reached: Reached, site: Site, names: tuple[str, ...] = ()) -> Outcome:
    """Audit with the checks of these families, or with some of them."""
    checks = choose(names, ()) if names else OURS
    return audit(reached, site, checks, timeout=30, progress=lambda _: None)


def in_process(fault: str, **changes: object) -> Outcome:
    """Audit the shop with this fault without a server."""
    with Hosted(shop.make(fault)) as hosted:
        return ask(hosted, replace(SITE, sockets=False, **changes))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """The shop once for each fault, and once without, on ports of one server."""
    logs = tmp_path_factory.mktemp("shop")
    child = Child([sys.executable, str(APPS / "shop.py"), "", *FAULTS], logs=logs, environment={})
    try:
        assert wait_until(lambda: child.stdout_path.read_text().endswith("}\n"), 30), child.log_tail(5)
        ports: dict[str, int] = json.loads(child.stdout_path.read_text())
        yield {fault: Running(host="127.0.0.1", port=port, child=child) for fault, port in ports.items()}
    finally:
        child.end()


def over_sockets(running: Running) -> Site:
    """What is known of a shop on a port."""
    return replace(
        SITE,
        authority=f"127.0.0.1:{running.port}",
        addresses=has_addresses("127.0.0.1", running.port),
    )


def test_every_check_of_the_app_has_a_shop_that_fails_it() -> None:
    """No check is there that nobody has seen to find anything."""
    assert {check.id for check in OURS} == {fault[:2] for fault in FAULTS} | {"I1"}
    assert {check.id for check in CATALOGUE} >= {check.id for check in OURS}


# The log of an app in this process is not known, and nothing follows a reply to HEAD.
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in {"I7", "M4"}])
def test_one_fault_fails_one_check(fault: str) -> None:
    """Of all these checks exactly the one that looks for the fault finds it, and no other raises an alarm."""
    assert failed(in_process(fault)) == {fault[:2]}


def test_the_twin_passes_in_process() -> None:
    """Nothing is held against the shop, and what needs a connection or a log is not run."""
    outcome = in_process("")

    assert failed(outcome) == set()
    assert reasons(outcome) == {"I1": Need.SOCKET.value, "I7": Need.SOCKET.value, "M4": Need.SOCKET.value}
    assert outcome.duration < 10


def test_a_login_is_not_lent_to_strangers() -> None:
    """With a login on the command line, what asks as a stranger leaves it out, and all else has it."""
    login = (("Authorization", shop.TOKEN), ("X-Tenant", "north"))

    assert failed(in_process("", headers=login)) == set()
    assert failed(in_process("X2", headers=login)) == {"X2"}
    assert failed(in_process("P4", headers=login)) == {"P4"}


@pytest.mark.parametrize("name", usual.APPS)
def test_an_app_that_only_looks_faulty_raises_no_alarm(name: str) -> None:
    """What answers alike for everything is no bypass, no leak and no open door."""
    with Hosted(usual.APPS[name]) as hosted:
        outcome = ask(hosted, replace(SITE, sockets=False, error_path=None))

    # That they take any method for GET is true.
    assert failed(outcome) <= {"M2"}


def test_a_stream_without_end_holds_no_audit_up() -> None:
    """Where a route goes on for ever, what has come after a second is judged."""
    with Hosted(usual.ENDLESS) as hosted:
        outcome = ask(hosted, replace(SITE, sockets=False), ("I5", "P3"))

    assert failed(outcome) == set()
    assert outcome.stopped == ""
    assert outcome.duration < 4


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_over_sockets(shops: dict[str, Running], fault: str) -> None:
    """What is found in process is found behind a server as well, and so is what only a log shows."""
    assert failed(ask(shops[fault], over_sockets(shops[fault]), (fault[:2],))) == {fault[:2]}


def test_the_twin_passes_over_sockets(shops: dict[str, Running]) -> None:
    """Every check is run, and none finds anything."""
    outcome = ask(shops[""], over_sockets(shops[""]))

    assert failed(outcome) == set()
    assert reasons(outcome) == {}
