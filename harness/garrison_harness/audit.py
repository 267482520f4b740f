"""Asks what the checks want asked, within bounds, and lets them judge the answers."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from garrison_harness.checks.check import Check, Death, Seen
from garrison_harness.exchange import Exchange
from garrison_harness.finding import Confidence, Finding, Severity, Verdict, not_run
from garrison_harness.obstacle import obstacle
from garrison_harness.probe import Budget, Probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from garrison_harness.exchange import Request
    from garrison_harness.running import Running
    from garrison_harness.site import Site

_REQUESTS = 3000
_THREADS = 4
_LOOK = 250  # the number under which nobody else speaks: there are fewer checks
_LOG_LINES = 12
_DYING = 0.2  # seconds between a connection that breaks off and the end of its process


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
        obstacle: What the page answered where it was no page, and what to do; empty if all is well.
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
    running: Running,
    site: Site,
    checks: Sequence[Check],
    *,
    timeout: float,
    progress: Callable[[Check], None],
) -> Outcome:
    """Ask and judge; a target that dies and an interrupt end the asking, not the judging.

    Args:
        running: The target, which answers.
        site: What is known of it.
        checks: What to find out.
        timeout: How long all of it may take, in seconds.
        progress: Told of each check once it has been asked, from any thread.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    budget = Budget(deadline=clock + timeout, requests=_REQUESTS)
    inquiry = _Inquiry(running, site, budget, progress)
    try:
        inquiry.look()
        inquiry.ask_all(checks)
        stopped = _bound_reached(timeout) if budget.spent() else ""
    except KeyboardInterrupt:
        budget.stop()
        stopped = "the audit was interrupted"
    if inquiry.death is not None:
        stopped = "the app ended during the audit"
    return Outcome(
        url=running.base_url,
        started=started,
        duration=time.monotonic() - clock,
        requests=_REQUESTS - budget.requests,
        results=tuple(Result(check=check, verdict=inquiry.judge(check, stopped)) for check in checks),
        stopped=stopped,
        obstacle=inquiry.obstacle,
    )


class _Inquiry:
    """What was asked of a target so far, and what became of it."""

    def __init__(
        self, running: Running, site: Site, budget: Budget, progress: Callable[[Check], None]
    ) -> None:
        self.death: Death | None = None
        self.obstacle = ""
        self._running = running
        self._site = site
        self._budget = budget
        self._progress = progress
        self._probe = Probe(
            host=running.host, port=running.port, https=running.https, name=site.host, budget=budget
        )
        self._exchanges: dict[str, dict[str, Exchange]] = {}

    def look(self) -> None:
        """Find out whether the page answers, which is none of the checks' business: they compare with it."""
        request = self._site.get(self._site.path)
        for label, source, page in _voiced({"page": request}, _LOOK, self._site):
            reply = self._probe.ask(page, source=source)
            self.obstacle = obstacle(Exchange(label=label, request=page, reply=reply), self._site)

    def ask_all(self, checks: Sequence[Check]) -> None:
        """Ask for every check that lacks nothing: most of them side by side, the rest one by one."""
        asked = [pair for pair in enumerate(checks) if not self._lacking(pair[1])]
        # The order of the record is that of the catalogue, whoever is answered first.
        self._exchanges = {check.id: {} for _, check in asked}
        with ThreadPoolExecutor(_THREADS) as pool:
            together = [pool.submit(self._ask, number, check) for number, check in asked if not check.alone]
            try:
                for future in together:
                    future.result()
            except BaseException:
                # Leaving the pool waits for its threads, so they must come to an end.
                self._budget.stop()
                raise
        for number, check in asked:
            if check.alone:
                self._ask(number, check)

    def _lacking(self, check: Check) -> list[str]:
        return [need.value for need in check.needs if self._site.lacks(need)]

    def _ask(self, number: int, check: Check) -> None:
        exchanges = self._exchanges[check.id]
        for label, source, request in _voiced(check.ask(self._site), number, self._site):
            at = time.monotonic()
            reply = self._probe.ask(request, source=source)
            exchanges[label] = Exchange(label=label, request=request, reply=reply, at=at)
        if self.death is None and any(exchange.reply.status is None for exchange in exchanges.values()):
            self.death = _death(self._running)
            if self.death is not None:
                self._budget.stop()
        self._progress(check)

    def judge(self, check: Check, stopped: str) -> Verdict:
        """The verdict of one check; `stopped` says why not everything was asked, if so."""
        if lacking := self._lacking(check):
            return not_run("; ".join(lacking))
        exchanges = self._exchanges[check.id]
        abandoned = not exchanges or any(seen.reply.failure == "abandoned" for seen in exchanges.values())
        # What a dying app left unanswered says nothing about the check that asked it.
        unanswered = self.death is not None and any(seen.reply.status is None for seen in exchanges.values())
        if stopped and (abandoned or unanswered) and not (check.after_death and self.death is not None):
            return not_run(stopped)
        record = [seen for asked in self._exchanges.values() for seen in asked.values()]
        return check.verdict(Seen(site=self._site, exchanges=exchanges, record=record, death=self.death))


def _bound_reached(timeout: float) -> str:
    return f"its bound of {timeout:g} s and {_REQUESTS} requests was reached: allow more with --timeout"


def _voiced(
    requests: Mapping[str, Request], number: int, site: Site
) -> list[tuple[str, str | None, Request]]:
    """Requests with the address each speaks from, so that no quota is spent twice.

    Servers trust 127.0.0.1 as a proxy, so nobody speaks from there; every audit has addresses of its own
    because a quota may outlast the last one.
    """
    block = f"127.{20 + os.getpid() % 200}.{number}"
    voiced = []
    for position, (label, request) in enumerate(requests.items()):
        voice = request.voice if request.voice is not None else 20 + position % 230
        voiced.append((label, f"{block}.{voice}" if site.addresses else None, request))
    return voiced


def _death(running: Running) -> Death | None:
    """How the target ended, if it did; a process may outlast its last connection by a moment."""
    deadline = time.monotonic() + _DYING
    while running.alive():
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.02)
    status = running.exit_status()
    if status is None:
        cause = "its port takes no connections any more"
    else:
        cause = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Death(cause=cause, log=tuple(running.log_tail(_LOG_LINES)))
