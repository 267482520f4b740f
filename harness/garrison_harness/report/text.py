"""The audit for people: a line a check, the findings with their evidence and fix, and a summary."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from garrison_harness.finding import Confidence, Severity, printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from garrison_harness.audit import Result
    from garrison_harness.checks.check import Check
    from garrison_harness.finding import Finding
    from garrison_harness.report.report import Report

_STATUS = {"passed": ("PASS", "green"), "failed": ("FAIL", "bold red"), "not run": ("----", "dim")}
_STYLES = {Severity.MEDIUM: "yellow", Severity.HIGH: "bold red", Severity.CRITICAL: "bold red"}
_INDENT = " " * 11
_WIDEST = 110


def write(report: Report, stream: TextIO) -> None:
    """Write the report, in colour where the stream is a terminal and NO_COLOR is not set."""
    page = _Page(stream)
    page.line(("garrison check ", "bold"), (printable(str(report.target)), ""))
    page.line((report.outcome.url, "dim"))
    page.line()
    for result in report.outcome.results:
        _write_status(page, result)
    found = [(result, finding) for result in report.outcome.results for finding in result.verdict.findings]
    # The worst first: that is what there is time for.
    found.sort(key=lambda pair: (pair[1].confidence is Confidence.INFO, -pair[0].severity(pair[1])))
    for number, (result, finding) in enumerate(found):
        page.line()
        last = number + 1 == len(found) or found[number + 1][0] is not result
        _write_finding(page, result, finding, with_fix=last)
    page.line()
    _write_summary(page, report)


class _Page:
    """Lines on a console, broken at its width with a hanging indent."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._width = min(self._console.width, _WIDEST)

    def line(self, *parts: tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def wrapped(self, text: str, style: str = "", *, first: str = _INDENT, rest: str = _INDENT) -> None:
        for line in textwrap.wrap(text, self._width, initial_indent=first, subsequent_indent=rest) or [first]:
            self.line((line, style))

    def between(self, left: Sequence[tuple[str, str]], right: tuple[str, str]) -> None:
        """Parts at the left, and one at the right edge."""
        room = self._width - sum(len(text) for text, _ in left) - len(right[0])
        self.line(*left, (" " * max(1, room), ""), right)


def _write_status(page: _Page, result: Result) -> None:
    word, style = _STATUS[result.verdict.status]
    left = [
        (word, style),
        (f"  {result.check.id:<4} ", "bold" if word == "FAIL" else ""),
        (result.check.title, ""),
    ]
    if result.verdict.status == "failed":
        worst = max(
            result.severity(finding)
            for finding in result.verdict.findings
            if finding.confidence is not Confidence.INFO
        )
        page.between(left, (worst.word, _STYLES.get(worst, "")))
    else:
        page.line(*left)
    if result.verdict.reason:
        page.wrapped(f"not run: {result.verdict.reason}", "dim")


def _write_finding(page: _Page, result: Result, finding: Finding, *, with_fix: bool) -> None:
    severity = result.severity(finding)
    head = f"{result.check.id} {severity.word}, {finding.confidence.value}: {finding.message}"
    page.wrapped(head, _STYLES.get(severity, "bold"), first="", rest="   ")
    for line in finding.evidence:
        page.wrapped(line, first="     | ", rest="     |   ")
    if with_fix:
        page.wrapped(f"Fix: {result.check.fix}", first="   ", rest="   ")
        if result.check.garrison:
            page.wrapped(f"With Garrison: {result.check.garrison}", first="   ", rest="   ")


def _write_summary(page: _Page, report: Report) -> None:
    outcome = report.outcome
    failures = len(outcome.failures(report.fail_on))
    counts = ", ".join(f"{report.count(status)} {status}" for status in ("failed", "passed", "not run"))
    page.line((f"{counts}; {outcome.requests} requests in {outcome.duration:.1f} s", ""))
    level = f"{report.fail_on.word} or worse" if report.fail_on is not Severity.CRITICAL else "critical"
    status = outcome.exit_status(report.fail_on)
    if status == 1:
        findings = f"{failures} confirmed finding{'s' if failures > 1 else ''}"
        page.line(("FAIL: ", "bold red"), (f"{findings} of severity {level}", ""))
    elif status == 4:
        reason = outcome.stopped or outcome.obstacle or "no check could be judged"
        page.wrapped(f"INCONCLUSIVE: {reason}", "bold yellow", first="", rest="   ")
    else:
        page.line(("PASS: ", "bold green"), (f"no confirmed finding of severity {level}", ""))
    if status == 1 and outcome.stopped:
        page.wrapped(f"Not everything was asked: {outcome.stopped}", first="", rest="   ")
    if outcome.obstacle and (status == 1 or outcome.stopped):
        page.wrapped(f"Little could be judged: {outcome.obstacle}", first="", rest="   ")


def write_summary(report: Report, stream: TextIO) -> None:
    """Write the counts and the verdict only."""
    _write_summary(_Page(stream), report)


def write_catalogue(checks: Sequence[Check], stream: TextIO) -> None:
    """Write what there is to check."""
    page = _Page(stream)
    for check in checks:
        page.between([(f"{check.id:<4} ", "bold"), (check.title, "")], (check.severity.word, ""))
        fixed_by = f"fixed by {check.fixed_by.value}; {check.reference}"
        page.wrapped(
            f"{fixed_by}; CWE-{check.cwe}" if check.cwe else fixed_by, "dim", first="     ", rest="     "
        )
        for need in check.needs:
            page.wrapped(f"not run where {need.value}", "dim", first="     ", rest="     ")
