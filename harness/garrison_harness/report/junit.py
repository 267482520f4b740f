"""The audit as JUnit XML: a test suite for each family of checks, and a test for each check.

A failure is what fails the audit; findings that do not are told on the standard output of a test that passes,
so that a build is red for JUnit where it is red for the exit status. A test is skipped where the check was
not run or its findings are accepted, and is an error where the check broke.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from garrison_harness.checks.check import BROKEN
from garrison_harness.checks.family import FAMILIES, letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.audit import Result
    from garrison_harness.report.report import Found, Report

# What XML 1.0 cannot hold, section 2.2.
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """The document, indented, with a line break at the end."""
    found: dict[str, list[Found]] = {}
    for one in report.found():
        found.setdefault(one.check.id, []).append(one)
    by_family: dict[str, list[Result]] = {}
    for result in report.outcome.results:
        by_family.setdefault(letter(result.check.id), []).append(result)
    root = Element("testsuites")
    for family, results in by_family.items():
        suite = _suite(root, f"{family}: {FAMILIES[family]}", report)
        for result in results:
            _case(suite, result, found.get(result.check.id, []), report)
        _count(suite)
    audit = _suite(root, "audit", report)
    case = SubElement(audit, "testcase", classname="garrison.audit", name="everything could be judged")
    if report.exit_status == 4:
        _add(case, "error", report.reason, message=report.reason, type="inconclusive")
    if notes := list(report.asides()):
        _add(case, "system-out", "\n".join(notes))
    _count(audit)
    # The time of the whole is that of one suite: they ran at the same time.
    audit.set("time", f"{report.outcome.duration:.3f}")
    root.set("name", _legal(f"garrison check {report.target}"))
    root.set("time", f"{report.outcome.duration:.3f}")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _suite(root: Element, name: str, report: Report) -> Element:
    started = report.outcome.started.replace(tzinfo=None).isoformat(timespec="seconds")
    return SubElement(root, "testsuite", name=name, timestamp=started, time="0.000")


def _count(suite: Element) -> None:
    """Say how many tests a suite has, and what became of them."""
    suite.set("tests", str(len(suite.findall("testcase"))))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in suite)))


def _case(suite: Element, result: Result, found: Sequence[Found], report: Report) -> None:
    check, verdict = result.check, result.verdict
    name = f"{check.id} {check.title}"
    case = SubElement(suite, "testcase", classname=f"garrison.{letter(check.id)}", name=_legal(name))
    failing = [one for one in found if one.failing]
    if verdict.status == "not run" and verdict.reason.startswith(BROKEN):
        _add(case, "error", verdict.reason, message=verdict.reason, type="broken check")
    elif verdict.status == "not run":
        _add(case, "skipped", verdict.reason)
    elif verdict.status == "accepted" and report.baseline is not None:
        _add(case, "skipped", report.baseline.reason(check.id))
    elif failing:
        message = "; ".join(one.finding.message for one in failing)
        told = "\n\n".join(_told(one, report) for one in failing)
        _add(case, "failure", told, message=message, type=check.severity.word)
    if others := [one for one in found if not one.failing]:
        _add(case, "system-out", "\n\n".join(_told(one, report) for one in others))


def _told(found: Found, report: Report) -> str:
    check, finding = found.check, found.finding
    return "\n".join(
        (
            f"{check.id} {found.severity.word}, {finding.confidence.value}: {finding.message}",
            f"at {found.where} in {found.place.file}:{found.place.line}",
            *(f"  | {line}" for line in finding.evidence),
            f"Fix: {check.fix}",
            *([f"With Garrison: {check.garrison}"] if check.garrison else []),
            f"More: {report.more(check)}",
        )
    )


def _add(parent: Element, tag: str, text: str, **attributes: str) -> None:
    legal = {name: _legal(value) for name, value in attributes.items()}
    SubElement(parent, tag, legal).text = _legal(text)


def _legal(text: str) -> str:
    """The text without what XML cannot hold."""
    return _ILLEGAL.sub("�", text)
