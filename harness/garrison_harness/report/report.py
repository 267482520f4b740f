"""What a report is about: an outcome, with each finding filed under a line of the project."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.audit import Outcome, Result
from garrison_harness.baseline import Applied, Baseline, applied
from garrison_harness.checks.check import Check
from garrison_harness.checks.family import letter
from garrison_harness.finding import Confidence, Finding, Severity
from garrison_harness.observatory.rating import Rating
from garrison_harness.report.hiding import Secrets, secrets_of
from garrison_harness.report.place import Place, handler
from garrison_harness.report.reference import page_of
from garrison_harness.report.source_file import source_file
from garrison_harness.route import Route
from garrison_harness.severities import regraded
from garrison_harness.target import Target

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from garrison_harness.site import Site

STATUSES = ("failed", "passed", "accepted", "not run")
"""What can become of a check, in the order in which it is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding as every form shows it.

    Attributes:
        check: What it is a finding of.
        finding: The finding.
        severity: How bad it is.
        place: The line of the project that it is filed under.
        failing: Whether it makes the audit fail.
    """

    check: Check
    finding: Finding
    severity: Severity
    place: Place
    failing: bool

    @property
    def where(self) -> str:
        """The request that shows it."""
        return f"{self.finding.location.method} {self.finding.location.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An outcome, ready to be written in any form.

    Attributes:
        target: What was audited.
        outcome: What was found, without what the baseline accepts.
        fail_on: The severity from which confirmed findings fail the audit.
        directory: Where the audit was started; reports name files relative to it.
        routes: Of the app, by which a finding is filed under the line of a handler.
        secrets: What no form may show.
        baseline: What was accepted; None where there is no baseline.
        rating: What MDN HTTP Observatory would say of the page; None where nobody asked.
        reference: Where the reference of checks is published; empty where that is not known.
    """

    target: Target
    outcome: Outcome
    fail_on: Severity
    directory: Path
    routes: tuple[Route, ...] = ()
    secrets: Secrets = Secrets()
    baseline: Applied | None = None
    rating: Rating | None = None
    reference: str = ""

    @property
    def tool_version(self) -> str:
        """The version of Garrison that made the report."""
        return version("garrison")

    @property
    def exit_status(self) -> int:
        """The exit status of the tool."""
        return self.outcome.exit_status(self.fail_on)

    @property
    def verdict(self) -> str:
        """`PASS`, `FAIL` or `INCONCLUSIVE`."""
        return {0: "PASS", 1: "FAIL"}.get(self.exit_status, "INCONCLUSIVE")

    @property
    def reason(self) -> str:
        """The verdict in words."""
        if self.exit_status == 4:
            return self.outcome.stopped or self.outcome.obstacle or "no check could be judged"
        level = f"{self.fail_on.word} or worse" if self.fail_on is not Severity.CRITICAL else "critical"
        failures = sum(found.failing for found in self.found())
        number = f"{failures} confirmed finding{'s' if failures > 1 else ''}"
        return f"{number if failures else 'no confirmed finding'} of severity {level}"

    def count(self, status: str) -> int:
        """How many checks ended that way."""
        return sum(result.verdict.status == status for result in self.outcome.results)

    def counts(self) -> str:
        """How many checks ended in each way, in words."""
        return ", ".join(
            f"{self.count(status)} {status}"
            for status in STATUSES
            if status != "accepted" or self.count(status)
        )

    def by_family(self) -> Mapping[str, Counter[str]]:
        """How many checks of each family ended in each way, by letter in the order of the catalogue."""
        found: dict[str, Counter[str]] = {}
        for result in self.outcome.results:
            found.setdefault(letter(result.check.id), Counter())[result.verdict.status] += 1
        return found

    def found(self) -> tuple[Found, ...]:
        """Every finding, in the order of the catalogue."""
        fallback = Place(file=self.source_file())
        return tuple(
            self._found(result, finding, fallback)
            for result in self.outcome.results
            for finding in result.verdict.findings
        )

    def worst_first(self) -> tuple[Found, ...]:
        """Every finding: those that fail the audit, then the other faults, then what is worth knowing."""
        return tuple(
            sorted(
                self.found(),
                key=lambda one: (
                    one.finding.confidence is Confidence.INFO,
                    -one.severity,
                    one.finding.confidence is Confidence.LIKELY,
                ),
            )
        )

    def page_of(self, check: Check) -> str:
        """Where the reference tells of a check; empty where that is not known."""
        return page_of(self.reference, check.id)

    def more(self, check: Check) -> str:
        """Where there is more to know about a check, in words."""
        page = self.page_of(check)
        return f"garrison explain {check.id}{', ' if page else ''}{page}"

    def in_repository(self, file: str) -> str:
        """A file as the repository names it, which is what code hosts go by."""
        directory = self.directory.resolve()
        for root in (directory, *directory.parents):
            if (root / ".git").exists():
                return (directory.relative_to(root) / file).as_posix()
        return file

    def source_file(self) -> str:
        """The file where the app is made, relative to the directory, with forward slashes."""
        return source_file(self.target, self.directory)

    def asides(self) -> Iterator[str]:
        """What is to be said of the audit itself, beside its findings."""
        reasons = (self.outcome.stopped, self.outcome.obstacle)
        yield from (f"Inconclusive: {reason}" for reason in reasons if reason)
        if self.baseline is not None:
            yield from self.baseline.notes()

    def _found(self, result: Result, finding: Finding, fallback: Place) -> Found:
        severity = result.severity(finding)
        location, exchange = finding.location, finding.exchange
        # The location is shortened for people, the request is not.
        target = exchange.request.target if exchange is not None else location.target
        place = handler(self.routes, location.method, target) or fallback
        return Found(
            check=result.check,
            finding=finding,
            severity=severity,
            place=place,
            failing=finding.confidence is Confidence.CONFIRMED and severity >= self.fail_on,
        )


def report_of(
    target: Target,
    outcome: Outcome,
    site: Site,
    *,
    fail_on: Severity,
    directory: Path,
    baseline: Baseline | None,
    today: dt.date,
    rating: Rating | None = None,
    secrets: Secrets | None = None,
    severities: Mapping[str, Severity] | None = None,
    reference: str = "",
) -> Report:
    """The report of an outcome, without what nobody may see and without what is accepted.

    Args:
        target: What was audited.
        outcome: What was found.
        site: What is known of the app.
        fail_on: The severity from which confirmed findings fail the audit.
        directory: Where the audit was started.
        baseline: What is accepted, if anything.
        today: The day by which acceptance expires.
        rating: What MDN HTTP Observatory would say of the page.
        secrets: What nobody may see, beside the headers that every request carries.
        severities: Those that checks have in place of their own, by id.
        reference: Where the reference of checks is published.
    """
    secrets = (secrets or Secrets()).and_more(secrets_of(site.headers))
    outcome = replace(outcome, results=tuple(_without_secrets(one, secrets) for one in outcome.results))
    outcome = regraded(outcome, severities or {})
    done = None
    if baseline is not None:
        outcome, done = applied(baseline, outcome, today)
    return Report(
        target=target,
        outcome=outcome,
        fail_on=fail_on,
        directory=directory,
        routes=site.routes,
        secrets=secrets,
        baseline=done,
        rating=rating if rating is None else _rating_without(rating, secrets),
        reference=reference,
    )


def _rating_without(rating: Rating, secrets: Secrets) -> Rating:
    return replace(rating, url=secrets.hide(rating.url), reason=secrets.hide(rating.reason))


def _without_secrets(result: Result, secrets: Secrets) -> Result:
    findings = tuple(
        replace(
            finding,
            message=secrets.hide(finding.message),
            evidence=tuple(map(secrets.hide, finding.evidence)),
            location=replace(finding.location, target=secrets.hide(finding.location.target)),
            exchange=finding.exchange and secrets.hide_exchange(finding.exchange),
        )
        for finding in result.verdict.findings
    )
    verdict = replace(result.verdict, findings=findings, reason=secrets.hide(result.verdict.reason))
    return replace(result, verdict=verdict)
