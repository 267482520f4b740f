"""Audits an app in the process of the tests, for the pytest plugin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from garrison_harness import interruption
from garrison_harness.auditing import audited
from garrison_harness.baseline import DEFAULT_PATH, Baseline, read_baseline
from garrison_harness.checks.catalogue import choose
from garrison_harness.checks.check import Check
from garrison_harness.cli import check
from garrison_harness.configuration.command import login_of
from garrison_harness.finding import Confidence, Severity
from garrison_harness.fixture_arguments import ARGUMENTS, known_of, require_app
from garrison_harness.interruption import termination_interrupts
from garrison_harness.loading import load_asgi_app
from garrison_harness.login.settings import Login
from garrison_harness.options.asked import accepted_by, audited_as, checks_of
from garrison_harness.options.given import Given
from garrison_harness.options.target import target_of
from garrison_harness.report.report import Report
from garrison_harness.site import Site
from garrison_harness.target import IMPORT_STRING, Target, UsageFault
from garrison_harness.wording import for_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from garrison_harness.audit import Result
    from garrison_harness.report.report import Found


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, for a test to assert on.

    Attributes:
        report: All of it, without what the baseline accepts.
    """

    report: Report

    @property
    def inconclusive(self) -> str:
        """Why passing proves nothing, whatever else was found; empty if all is well."""
        outcome = self.report.outcome
        nothing = self.report.reason if self.report.exit_status == 4 else ""
        return outcome.stopped or outcome.obstacle or nothing

    def status(self, name: str) -> str:
        """How a check ended: `passed`, `failed`, `accepted` or `not run`.

        Args:
            name: The id of the check, such as `H1`.
        """
        return self.result(name).verdict.status

    def result(self, name: str) -> Result:
        """A check and its verdict.

        Args:
            name: The id of the check, such as `H1`.

        Raises:
            ValueError: It was not asked.
        """
        for result in self.report.outcome.results:
            if result.check.id == name.upper():
                return result
        raise ValueError(f"{name!r} was not among the checks of this audit")

    def failing(self, name: str = "") -> list[Found]:
        """The confirmed findings that are bad enough to fail.

        Args:
            name: The id of a check; of all of them where it is empty.
        """
        return [one for one in self.report.found() if one.failing and name.upper() in {"", one.check.id}]

    def assert_passes(self, *names: str) -> None:
        """Fail the test unless the checks that are named, or all that could be run, pass.

        A check that is named fails for every finding that is not mere information, whatever its severity,
        and also if it could not be run. Nothing passes where the page did not answer as a page.

        Args:
            names: Ids of checks, such as `H1`.

        Raises:
            AssertionError: They do not; it shows the findings with their evidence and their fix.
        """
        __tracebackhide__ = True
        faults = [text for name in names if (text := self._fault(name))]
        if not names:
            faults = [described(one) for one in self.failing()]
        # What was asked of one check stands, though there was no time for another.
        why = self.report.outcome.obstacle if names else self.inconclusive
        if why and not faults:
            faults = [f"the audit is inconclusive: {for_arguments(why, ARGUMENTS)}"]
        if faults:
            raise AssertionError("\n\n".join(faults))

    def _fault(self, name: str) -> str:
        result = self.result(name)
        if result.verdict.status == "not run":
            reason = for_arguments(result.verdict.reason, ARGUMENTS)
            return f"{result.check.id} {result.check.title}: not run: {reason}"
        if result.verdict.status != "failed":
            return ""
        found = [one for one in self.report.found() if one.check is result.check]
        return "\n\n".join(described(one) for one in found if one.finding.confidence is not Confidence.INFO)


def described(found: Found) -> str:
    """A finding in a few lines: what is wrong, what proves it, and what to do.

    Args:
        found: The finding.
    """
    check = found.check
    said = f"{check.id} {check.title}: {found.finding.message} ({found.severity.word})"
    lines = [said, *(f"    {line}" for line in found.finding.evidence), f"  fix: {check.fix}"]
    if check.garrison:
        lines.append(f"  with Garrison: {check.garrison}")
    return "\n".join([*lines, f"  more: garrison explain {check.id}"])


def audit_app(
    app: Callable[..., Any],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    fail_on: str = "medium",
    timeout: float = 30.0,
    baseline: str | None = "off",
    **known: Any,
) -> Audit:
    """Audit an ASGI app in this process, in an event loop of its own.

    Args:
        app: The app; its lifespan is run.
        select: Ids of checks, or letters of families; all unless given.
        ignore: The same, for what to leave out.
        fail_on: The least severity at which a confirmed finding fails.
        timeout: How long the audit may take, in seconds.
        baseline: The path of what is accepted; None for the usual one if it is there.
        known: What is known of the app, as the flags of `garrison check` say it: path, body_path,
            error_path, slow_path, host, headers, quota (as `5/minute`), time_limit, slow_limit, concurrency
            and max_body.

    Raises:
        TargetFailed: The app does not start.
        TypeError: It is no app, or an argument has another name.
        ValueError: A check or a severity has another name, or an argument is not as it should be.
    """
    __tracebackhide__ = True
    require_app(app)
    said = known_of(known)
    target = Target(kind="import", words=(type(app).__name__,), in_process=True)
    return _audited(target, app, _chosen(select, ignore), _severity(fail_on), timeout, baseline, said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What flags and `[tool.garrison]` ask for together.

    Attributes:
        target: What to audit.
        checks: What to find out.
        given: All options, as `garrison check` has them.
        login: How to log in.
        accepted: Findings that are hidden.
    """

    target: Target
    checks: tuple[Check, ...]
    given: Given
    login: Login | None
    accepted: Baseline | None


def wanted(words: Sequence[str], *, served: bool) -> Wanted:
    """Read flags as `garrison check` reads them, with `[tool.garrison]` where there is one.

    Args:
        words: The flags, and the target unless the file names it.
        served: An import string is booted under a server; otherwise it is driven in this process.

    Raises:
        UsageFault: They are wrong, or the file is.
    """
    context = _context(words)
    named = context.params["words"]
    if not served and len(named) == 1 and IMPORT_STRING.fullmatch(named[0]):
        context = _context([*words, "--in-process"])
    given = cast("Given", context.params)
    return Wanted(
        target=target_of(given),
        checks=checks_of(given),
        given=given,
        login=login_of(context),
        accepted=accepted_by(given),
    )


def _context(words: Sequence[str]) -> click.Context:
    try:
        return check.make_context("garrison check", list(words))
    except click.ClickException as error:
        raise UsageFault(error.format_message()) from error


def audit_wanted(asked: Wanted, checks: Sequence[Check]) -> Audit:
    """Audit an import string in this process, all else over a connection.

    Args:
        asked: What flags and file ask for.
        checks: Those of its checks that are left.

    Raises:
        TargetFailed: The app does not start.
        UsageFault: The login failed, or the document cannot be read.
    """
    target = asked.target
    app = None
    if target.in_process:
        app = load_asgi_app(target.words[0], factory=target.factory, environment=target.environment)
    with termination_interrupts():
        report = audited_as(
            asked.given, target, list(checks), login=asked.login, app=app, accepted=asked.accepted
        )
        # Half an audit is no test, and whoever ended it means all of them.
        interruption.check()
    return Audit(report)


def _chosen(select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    __tracebackhide__ = True
    try:
        return choose(select, ignore)
    except ValueError as error:
        raise ValueError(for_arguments(str(error), ARGUMENTS)) from None


def _severity(word: str) -> Severity:
    __tracebackhide__ = True
    try:
        return Severity[word.upper()]
    except KeyError:
        known = ", ".join(severity.word for severity in Severity)
        raise ValueError(f"{word!r} is no severity: {known}") from None


def _audited(
    target: Target,
    app: Any,
    checks: Sequence[Check],
    fail_on: Severity,
    timeout: float,
    baseline: str | None,
    known: Mapping[str, Any],
) -> Audit:
    __tracebackhide__ = True
    if not checks:
        raise UsageFault("no check is left to run: ignore fewer")
    accepted = None
    if baseline != "off" and (baseline is not None or DEFAULT_PATH.is_file()):
        accepted = read_baseline(Path(baseline) if baseline is not None else DEFAULT_PATH)
    path = known.get("path", target.path)
    site = Site(authority="", canary=f"garrison-{secrets.token_hex(6)}")
    site = replace(site, **{"path": path, "body_path": path, **known})
    with termination_interrupts():
        report = audited(target, site, checks, app=app, fail_on=fail_on, timeout=timeout, accepted=accepted)
        interruption.check()
    return Audit(report)
