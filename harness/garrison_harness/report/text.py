"""The audit for people: a line a check, the findings with their evidence and fix, and a summary."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

from garrison_harness.checks.family import FAMILIES, letter
from garrison_harness.explanation import explanation
from garrison_harness.finding import Confidence, Severity, printable
from garrison_harness.observatory.rating import signed
from garrison_harness.report.console import ReportConsole
from garrison_harness.report.report import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from garrison_harness.audit import Result
    from garrison_harness.checks.check import Check
    from garrison_harness.report.report import Found, Report

_STATUS = {
    "passed": ("PASS", "green"),
    "failed": ("FAIL", "bold red"),
    "accepted": ("OKAY", "dim"),
    "not run": ("----", "dim"),
}
_STYLES = {Severity.MEDIUM: "yellow", Severity.HIGH: "bold red", Severity.CRITICAL: "bold red"}
_INDENT = " " * 11
_WIDEST = 110
_LONGEST = 400


def write(report: Report, stream: TextIO) -> None:
    """Write the report, in colour where the stream is a terminal and NO_COLOR is not set."""
    page = _Page(stream)
    page.line(("garrison check ", "bold"), (printable(str(report.target)), ""))
    page.line((report.outcome.url, "dim"))
    page.line()
    for result in report.outcome.results:
        _write_status(page, result)
    # The worst first: that is what there is time for.
    found = report.worst_first()
    for number, one in enumerate(found):
        page.line()
        last = number + 1 == len(found) or found[number + 1].check is not one.check
        _write_finding(page, one, report.page_of(one.check), with_fix=last)
    page.line()
    _write_families(page, report)
    _write_rating(page, report)
    _write_summary(page, report)


class _Page:
    """Lines on a console, broken at its width with a hanging indent."""

    def __init__(self, stream: TextIO) -> None:
        self._console = ReportConsole(stream)
        self._width = min(self._console.width, _WIDEST)

    def line(self, *parts: tuple[str, str]) -> None:
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    def wrapped(self, text: str, style: str = "", *, first: str = _INDENT, rest: str = _INDENT) -> None:
        # Names of headers and options stay whole, to be found and copied.
        wrapper = textwrap.TextWrapper(
            self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        )
        for line in wrapper.wrap(text) or [first]:
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


def _write_finding(page: _Page, found: Found, address: str, *, with_fix: bool) -> None:
    check, finding, severity = found.check, found.finding, found.severity
    head = f"{check.id} {severity.word}, {finding.confidence.value}: {finding.message}"
    page.wrapped(head, _STYLES.get(severity, "bold"), first="", rest="   ")
    if found.place.exact:
        page.wrapped(f"at {found.place.file}:{found.place.line}", "dim", first="   ", rest="   ")
    for line in finding.evidence:
        page.wrapped(line, first="     | ", rest="     |   ")
    if with_fix:
        page.wrapped(f"Fix: {check.fix}", first="   ", rest="   ")
        if check.garrison:
            page.wrapped(f"With Garrison: {check.garrison}", first="   ", rest="   ")
        page.wrapped(f"More: garrison explain {check.id}", "dim", first="   ", rest="   ")
        if address:
            # In one piece, to be clicked on.
            page.line((f"   {address}", "dim"))


def _write_families(page: _Page, report: Report) -> None:
    """How many checks of each family ended in which way, where there are several families."""
    families = report.by_family()
    if len(families) == 1:
        return
    statuses = [status for status in STATUSES if status != "accepted" or report.count(status)]
    page.line((f"{'':<41}" + "".join(f"{status:>9}" for status in statuses), "dim"))
    for name, counts in families.items():
        numbers = "".join(f"{counts[status] or '.':>9}" for status in statuses)
        page.line((f"{name} {FAMILIES[name]:<39}{numbers}", ""))
    page.line()


def _write_rating(page: _Page, report: Report) -> None:
    """The score of the page, and what each rule gives or takes."""
    rating = report.rating
    if rating is None:
        return
    page.wrapped(printable(rating.sentence(), _LONGEST), first="", rest="   ")
    if rating.score is not None:
        rules = rating.contributions()
        told = [f"{signed(points, counts=counts)} {name}" for name, points, counts in rules if points]
        idle = [name for name, points, _ in rules if not points]
        told += [f"0 {', '.join(idle)}"] if idle else []
        page.wrapped(
            f"{'; '.join(told)}{'; ' if rating.note else ''}{rating.note}", "dim", first="   ", rest="   "
        )
    page.line()


def _write_summary(page: _Page, report: Report) -> None:
    outcome = report.outcome
    page.line((f"{report.counts()}; {outcome.requests} requests in {outcome.duration:.1f} s", ""))
    for note in report.baseline.notes() if report.baseline else ():
        page.wrapped(note, "yellow", first="", rest="   ")
    style = {"FAIL": "bold red", "PASS": "bold green"}.get(report.verdict, "bold yellow")
    page.wrapped(f"{report.verdict}: {report.reason}", style, first="", rest="   ")
    if report.exit_status == 1 and outcome.stopped:
        page.wrapped(f"Not everything was asked: {outcome.stopped}", first="", rest="   ")
    if outcome.obstacle and (report.exit_status == 1 or outcome.stopped):
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


def write_explanation(check: Check, stream: TextIO) -> None:
    """Write what there is to know about one check."""
    page = _Page(stream)
    page.between([(f"{check.id} ", "bold"), (check.title, "bold")], (check.severity.word, ""))
    page.wrapped(FAMILIES[letter(check.id)], "dim", first="", rest="")
    for name, text in explanation(check):
        page.line()
        page.line((name, "bold"))
        page.wrapped(text, first="  ", rest="  ")
