"""The audit as a whole: bounds, addresses, and what it makes of a check that breaks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.audit import Outcome, audit
from garrison_harness.probe import has_addresses
from garrison_harness.running import Running, running
from garrison_harness.target import parse_target
from tests.harness.commands import APPS, UVICORN
from tests.harness.recordings import SITE, check_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Check, Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An app that answers at once, save on the path that is missing."""
    monkeypatch.chdir(APPS)
    monkeypatch.setenv("SLOW_PATH", SITE.missing_path)
    with running(parse_target([*UVICORN, "slow_app:app"])) as reached:
        yield reached


def ask(app: Running, *checks: Check, timeout: float = 10.0) -> Outcome:
    """Audit the app with these checks."""
    site: Site = replace(
        SITE, authority=f"{app.host}:{app.port}", addresses=has_addresses(app.host, app.port)
    )
    return audit(app, site, checks, timeout=timeout, progress=lambda _: None)


def statuses(outcome: Outcome) -> dict[str, str]:
    """How each check ended."""
    return {result.check.id: result.verdict.status for result in outcome.results}


def test_an_audit_ends_when_its_time_is_up(app: Running) -> None:
    """What was judged stays, what was cut off is not run, and the audit is inconclusive."""
    outcome = ask(app, check_named("H2"), check_named("H9"), timeout=0.7)

    assert statuses(outcome) == {"H2": "passed", "H9": "not run"}
    assert outcome.duration < 3
    assert "--timeout" in outcome.stopped
    assert outcome.exit_status(check_named("H2").severity) == 4


def test_a_check_that_breaks_is_not_run(app: Running) -> None:
    """A judge that chokes on a reply says so, and the others go on."""

    def choke(seen: Seen) -> Iterator[Finding]:
        raise ZeroDivisionError

    outcome = ask(app, replace(check_named("H5"), judge=choke), check_named("H2"))

    assert statuses(outcome) == {"H5": "not run", "H2": "passed"}
    assert "please report it: ZeroDivisionError()" in outcome.results[0].verdict.reason


def test_results_keep_the_order_of_the_checks(app: Running) -> None:
    """Checks run side by side, and are reported in the order they were given."""
    names = ["M2", "H2", "I2", "H5", "M1"]

    outcome = ask(app, *map(check_named, names))

    assert list(statuses(outcome)) == names


def test_nobody_speaks_from_the_address_that_servers_trust(app: Running) -> None:
    """Every request has an address of its own, save those of one client; none is 127.0.0.1."""
    if not has_addresses(app.host, app.port):
        pytest.skip("this system has one loopback address only")

    outcome = ask(app, check_named("M1"), check_named("I3"), check_named("L1"))

    assert app.stdout_path is not None
    peers = re.findall(r"(127\.[\d.]+):\d+ - ", app.stdout_path.read_text())
    audited = [peer for peer in peers if peer != "127.0.0.1"]
    assert len(audited) == outcome.requests
    assert len(peers) - len(audited) == 1, "only the look whether the app is ready comes from there"
    assert len({peer for peer in audited if audited.count(peer) == 1}) == 7, (
        "six requests and the look at the page"
    )
