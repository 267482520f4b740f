"""The audit as a Code Quality report, whose findings GitLab shows beside the lines of a merge request."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from garrison_harness.finding import Confidence, Severity
from garrison_harness.report.fingerprint import fingerprint

if TYPE_CHECKING:
    from garrison_harness.report.report import Found, Report

_SEVERITIES: Final = {
    Severity.INFO: "info",
    Severity.LOW: "minor",
    Severity.MEDIUM: "major",
    Severity.HIGH: "critical",
    Severity.CRITICAL: "blocker",
}


def render(report: Report) -> str:
    """The document, indented, with a line break at the end.

    Beside the findings it has what is to be said of the baseline, and why an audit proves nothing.
    """
    occurrences: Counter[str] = Counter()
    issues = [_finding(found, report, fingerprint(found, occurrences)) for found in report.worst_first()]
    if report.exit_status == 4:
        issues.append(_issue("inconclusive", report.reason, "blocker", report.source_file(), 1, report))
    if report.baseline is not None:
        path = report.baseline.path.as_posix()
        issues += [
            _issue("baseline", text, "minor", path, entry.line, report)
            for entry, text in report.baseline.remarks()
        ]
    return json.dumps(issues, indent=2) + "\n"


def _finding(found: Found, report: Report, identity: str) -> dict[str, object]:
    severity = Severity.INFO if found.finding.confidence is Confidence.INFO else found.severity
    text = f"{found.where}: {found.finding.message}. Fix: {found.check.fix} More: {report.more(found.check)}"
    place = found.place
    return _issue(found.check.id, text, _SEVERITIES[severity], place.file, place.line, report, identity)


def _issue(
    name: str, text: str, severity: str, file: str, line: int, report: Report, identity: str = ""
) -> dict[str, object]:
    """What GitLab reads of an issue, which is a part of what Code Climate defines."""
    return {
        "description": text,
        "check_name": name,
        # GitLab shows one issue of each fingerprint.
        "fingerprint": identity or hashlib.sha256(f"{name}:{text}".encode()).hexdigest()[:16],
        "severity": severity,
        "location": {"path": report.in_repository(file), "lines": {"begin": line}},
    }
