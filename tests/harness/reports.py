"""Reports made from outcomes by hand: no target, no network."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.audit import Outcome, Result
from garrison_harness.exchange import Exchange, Reply, Request
from garrison_harness.finding import Confidence, Finding, Location, Severity, Verdict, judged, not_run
from garrison_harness.report import text
from garrison_harness.report.report import Report, report_of
from garrison_harness.target import Target, parse_target
from tests.harness.recordings import SITE, check_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.baseline import Baseline
    from garrison_harness.observatory.rating import Rating
    from garrison_harness.route import Route

TODAY = date(2026, 1, 2)
FOUND = Finding(
    message="anyone may look in",
    location=Location(method="GET", target="/a"),
    evidence=("GET /a -> 200 OK", "server: x" * 20),
    exchange=Exchange(
        label="page",
        request=Request(
            method="GET", target="/a", pieces=(b"GET /a HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n",)
        ),
        reply=Reply(status=200, reason="OK", headers=(("Server", "x"),), body=b"<script>alert(1)</script>"),
    ),
)
LIKELY = replace(FOUND, message="perhaps 17 bytes too many", confidence=Confidence.LIKELY)
HINT = replace(FOUND, message="by the way", confidence=Confidence.INFO, severity=Severity.INFO)


def results(**verdicts: Verdict) -> tuple[Result, ...]:
    """The results of checks by id."""
    return tuple(Result(check=check_named(name), verdict=verdict) for name, verdict in verdicts.items())


def one_of_each() -> tuple[Result, ...]:
    """A check in each state, and findings of each confidence."""
    return results(E1=judged((FOUND,)), H2=judged((LIKELY, HINT)), H9=judged(()), H4=not_run("no https"))


def outcome_of(found: tuple[Result, ...], *, stopped: str = "", obstacle: str = "") -> Outcome:
    """An outcome with these results."""
    return Outcome(
        url="http://127.0.0.1:8000",
        started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        duration=1.5,
        requests=40,
        results=found,
        stopped=stopped,
        obstacle=obstacle,
    )


def report(
    found: tuple[Result, ...] | None = None,
    *,
    stopped: str = "",
    obstacle: str = "",
    target: Target | None = None,
    directory: Path = Path("/srv/shop"),
    routes: tuple[Route, ...] = (),
    headers: tuple[tuple[str, str], ...] = (),
    baseline: Baseline | None = None,
    rating: Rating | None = None,
    severities: Mapping[str, Severity] | None = None,
    reference: str = "",
) -> Report:
    """A report of these results, or of one check in each state."""
    return report_of(
        target or parse_target(["good_app:app"]),
        outcome_of(one_of_each() if found is None else found, stopped=stopped, obstacle=obstacle),
        replace(SITE, routes=routes, headers=headers),
        fail_on=Severity.MEDIUM,
        directory=directory,
        baseline=baseline,
        today=TODAY,
        rating=rating,
        severities=severities,
        reference=reference,
    )


def text_of(made: Report) -> str:
    """A report as it is on a page of eighty columns."""
    page = io.StringIO()
    text.write(made, page)
    return page.getvalue()
