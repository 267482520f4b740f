"""Asks what the checks want asked, within bounds, and lets them judge the answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.checks.check import Check
from garrison_harness.finding import Confidence, Finding, Severity, Verdict, not_run
from garrison_harness.inquiry import Inquiry
from garrison_harness.probe import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from garrison_harness.site import Site
    from garrison_harness.stage import Reached

_REQUESTS: Final = 5000
_INTERRUPTED: Final = "the audit was interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check and what was found out by it."""

    check: Check
    verdict: Verdict

    def severity(self, finding: Finding) -> Severity:
        """How bad a finding of this check is."""
        return self.check.severity if finding.severity is None else finding.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that an audit found.

    Attributes:
        url: Where the target was reached.
        started: When the audit began.
        duration: How long it took, in seconds.
        requests: How many requests were sent.
        results: One for each chosen check, in the order of the catalogue.
        stopped: Why the audit did not ask everything; empty if it did.
        obstacle: What the page answered where it was no page, and what to do, or why nothing is known of what
            else there is; empty if all is well.
    """

    url: str
    started: datetime
    duration: float
    requests: int
    results: tuple[Result, ...]
    stopped: str = ""
    obstacle: str = ""

    def failures(self, fail_on: Severity) -> list[tuple[Result, Finding]]:
        """The confirmed findings at or above a severity."""
        return [
            (result, finding)
            for result in self.results
            for finding in result.verdict.findings
            if finding.confidence is Confidence.CONFIRMED and result.severity(finding) >= fail_on
        ]

    def exit_status(self, fail_on: Severity) -> int:
        """The exit status of the tool: 1 with failures, 4 if passing would prove nothing, else 0."""
        if self.failures(fail_on):
            return 1
        nothing = all(result.verdict.status == "not run" for result in self.results)
        return 4 if self.stopped or self.obstacle or nothing else 0


def audit(
    running: Reached,
    site: Site,
    checks: Sequence[Check],
    *,
    timeout: float,
    progress: Callable[[Check], None],
    launch: Callable[[], AbstractContextManager[Reached]] | None = None,
    enter: Callable[[Reached, Site], Site] = lambda _, site: site,
) -> Outcome:
    """Ask and judge; a target that dies and an interrupt end the asking, not the judging.

    Args:
        running: The target, which answers.
        site: What is known of it.
        checks: What to find out.
        timeout: How long all of it may take, in seconds.
        progress: Told of each check once it has been asked, from any thread.
        launch: Starts the target once more, for the checks that stop it; None where that cannot be done.
        enter: Logs in to what was started once more; gives the site that requests to it are made for.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    budget = Budget(deadline=clock + timeout, requests=_REQUESTS)
    inquiry = Inquiry(running, site, budget, progress, launch, enter)
    interrupted = False
    try:
        inquiry.look()
        inquiry.ask_all(checks)
    except KeyboardInterrupt:
        budget.stop()
        interrupted = True
    stopped = _bound_reached(timeout) if budget.spent() else ""
    if interrupted or interruption.noticed():
        stopped = _INTERRUPTED
    if inquiry.death is not None:
        stopped = "the app ended during the audit"
    results, stopped = _judged(inquiry, checks, stopped)
    return Outcome(
        url=running.base_url,
        started=started,
        duration=time.monotonic() - clock,
        requests=_REQUESTS - budget.requests,
        results=results,
        stopped=stopped,
        obstacle=inquiry.obstacle,
    )


def _judged(inquiry: Inquiry, checks: Sequence[Check], stopped: str) -> tuple[tuple[Result, ...], str]:
    """What the checks say, and why not everything was asked or judged; a signal ends the judging too."""
    results: list[Result] = []
    try:
        # Judges wait for nothing, so that they never look whether a signal came.
        with interruption.at_once(anew=True):
            for check in checks:
                results.append(Result(check=check, verdict=inquiry.judge(check, stopped)))  # noqa: PERF401 - what came before an interrupt is kept
    except KeyboardInterrupt:
        stopped = _INTERRUPTED
    results += [Result(check=check, verdict=not_run(stopped)) for check in checks[len(results) :]]
    return tuple(results), stopped


def _bound_reached(timeout: float) -> str:
    return f"its bound of {timeout:g} s and {_REQUESTS} requests was reached: allow more with --timeout"
