"""The audit as a whole: bounds, addresses, and what it makes of a check that breaks."""

from __future__ import annotations

import itertools
import os
import re
import signal
import threading
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.audit import Outcome, audit
from garrison_harness.discovery.survey import surveyed
from garrison_harness.interruption import termination_interrupts
from garrison_harness.probe import has_addresses
from garrison_harness.running import Running, running
from garrison_harness.site import Need
from garrison_harness.target import parse_target
from tests.harness.commands import APPS, UVICORN
from tests.harness.recordings import SITE, check_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from garrison_harness.checks.check import Check, Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """An app that answers at once, save on the path that is missing."""
    monkeypatch.chdir(APPS)
    monkeypatch.setenv("SLOW_PATH", SITE.missing_path)
    with running(parse_target([*UVICORN, "slow_app:app"])) as reached:
        yield reached


def ask(
    app: Running,
    *checks: Check,
    timeout: float = 10.0,
    launch: Callable[[], AbstractContextManager[Running]] | None = None,
    unread: str = "",
) -> Outcome:
    """Audit the app with these checks."""
    addresses = has_addresses(app.host, app.port)
    site: Site = replace(SITE, authority=f"{app.host}:{app.port}", addresses=addresses, unread=unread)
    return audit(app, site, checks, timeout=timeout, progress=lambda _: None, launch=launch)


def statuses(outcome: Outcome) -> dict[str, str]:
    """How each check ended."""
    return {result.check.id: result.verdict.status for result in outcome.results}


def test_an_audit_ends_when_its_time_is_up(app: Running) -> None:
    """What was judged stays, what was cut off is not run, and the audit is inconclusive."""
    outcome = ask(app, check_named("H2"), check_named("H9"), timeout=2)

    assert statuses(outcome) == {"H2": "passed", "H9": "not run"}
    # A request that is not cut off is given up after five.
    assert outcome.duration < 5
    assert "--timeout" in outcome.stopped
    assert outcome.exit_status(check_named("H2").severity) == 4


def test_a_check_that_breaks_is_not_run(app: Running) -> None:
    """A judge that chokes on a reply says so, and the others go on."""

    def choke(seen: Seen) -> Iterator[Finding]:
        raise ZeroDivisionError

    outcome = ask(app, replace(check_named("H5"), judge=choke), check_named("H2"))

    assert statuses(outcome) == {"H5": "not run", "H2": "passed"}
    assert "please report it: ZeroDivisionError()" in outcome.results[0].verdict.reason


@pytest.mark.parametrize("instance", [False, True], ids=["beside others", "alone"])
def test_a_check_that_breaks_while_it_asks_is_not_run(app: Running, *, instance: bool) -> None:
    """Whatever it chokes on, the others go on."""

    def choke(stage: Stage) -> None:
        stage.ask("page", stage.site.get("/"))
        raise ZeroDivisionError

    broken = replace(check_named("H5"), drive=choke, instance=instance)
    outcome = ask(app, broken, check_named("H2"), launch=lambda: nullcontext(app))

    assert statuses(outcome) == {"H5": "not run", "H2": "passed"}
    assert "please report it: ZeroDivisionError()" in outcome.results[0].verdict.reason


def test_a_target_that_cannot_be_started_again_ends_nothing(app: Running) -> None:
    """The check that needs it is not run, whatever went wrong."""

    def fail() -> AbstractContextManager[Running]:
        raise MemoryError

    outcome = ask(app, replace(check_named("H5"), instance=True), check_named("H2"), launch=fail)

    assert statuses(outcome) == {"H5": "not run", "H2": "passed"}


def test_a_signal_ends_a_judge_that_takes_long(app: Running) -> None:
    """What was judged stays, the rest is not run, and the audit is inconclusive."""

    def tell(seen: Seen) -> Iterator[Finding]:
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        yield from (seen.finding("page", "x") for _ in itertools.count() if seen.site.canary == "y")

    with termination_interrupts():
        outcome = ask(app, check_named("H2"), replace(check_named("H5"), judge=tell), check_named("H9"))

    assert statuses(outcome) == {"H2": "passed", "H5": "not run", "H9": "not run"}
    assert outcome.exit_status(check_named("H2").severity) == 4


def test_what_a_survey_chokes_on_leaves_the_audit_inconclusive(app: Running) -> None:
    """Checks of routes are not run for that reason, and what passes does not count for all."""
    outcome = ask(app, replace(check_named("H2"), needs=(Need.ROUTES,)), check_named("H5"), unread="it broke")

    assert outcome.results[0].verdict.reason == "it broke"
    assert outcome.obstacle == "it broke"


def test_a_survey_that_chokes_ends_nothing(app: Running) -> None:
    """The site says why nothing is known of its routes."""

    class Unreadable:
        """An app whose router raises."""

        @property
        def routes(self) -> list[object]:
            """Fails."""
            raise ZeroDivisionError

    site = surveyed(
        app, replace(SITE, addresses=False), parse_target(["http://127.0.0.1:9"]), app=Unreadable()
    )

    assert site.routes == ()
    assert "please report it: ZeroDivisionError()" in site.unread


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
