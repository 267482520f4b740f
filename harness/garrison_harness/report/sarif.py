"""The audit as SARIF 2.1.0, with what GitHub's code scanning asks for on top.

GitHub refuses a whole upload for one result without a location, or with a location that is no file of the
repository; so every result names a file, and the request that shows the finding goes into the message.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.audit import Result
    from garrison_harness.checks.check import Check
    from garrison_harness.finding import Finding
    from garrison_harness.report.report import Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.INFO: "note", Severity.LOW: "note", Severity.MEDIUM: "warning"}
# GitHub reads over 9 as critical, from 7 as high, from 4 as medium.
_SECURITY_SEVERITY = {
    Severity.INFO: "0.0",
    Severity.LOW: "2.0",
    Severity.MEDIUM: "5.0",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
_NUMBER = re.compile(r"\d[\d.]*")
_PRECISION = {Confidence.CONFIRMED: "very-high", Confidence.LIKELY: "medium", Confidence.INFO: "low"}


def render(report: Report) -> str:
    """The document, indented, with a line break at the end."""
    results = report.outcome.results
    index = {result.check.id: number for number, result in enumerate(results)}
    # A URI reference, so that a space or an umlaut in a name does not make the document invalid.
    file = quote(report.source_file())
    occurrences: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "garrison",
                "semanticVersion": report.tool_version,
                "rules": [_rule(result.check) for result in results],
            }
        },
        "automationDetails": {"id": "garrison-check/"},
        "invocations": [
            {
                # The tool did its work, whatever it found.
                "executionSuccessful": not report.outcome.stopped and not report.outcome.obstacle,
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "results": [
            _result(result, finding, index[result.check.id], file, _fingerprint(result, finding, occurrences))
            for result in results
            for finding in result.verdict.findings
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2) + "\n"


def _notifications(report: Report) -> Iterator[dict[str, object]]:
    """What the tool has to say of its own work: why it was cut short, and what it could not judge."""
    for reason in filter(None, (report.outcome.stopped, report.outcome.obstacle)):
        yield {"level": "warning", "message": {"text": f"Inconclusive: {reason}"}}
    for result in report.outcome.results:
        if result.verdict.status == "not run":
            text = f"{result.check.id} not run: {result.verdict.reason}"
            yield {"level": "note", "message": {"text": text}}


def _rule(check: Check) -> dict[str, object]:
    with_garrison = f"\n\nWith Garrison: {check.garrison}" if check.garrison else ""
    tags = ["security", *([f"external/cwe/cwe-{check.cwe:03}"] if check.cwe else [])]
    return {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.title.replace("-", " ").replace(",", "").split()),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": f"{check.title} ({check.reference})."},
        "help": {
            "text": f"Fix: {check.fix}{with_garrison}",
            "markdown": f"**Fix:** {check.fix}{with_garrison}",
        },
        "defaultConfiguration": {"level": _level(check.severity)},
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "security-severity": _SECURITY_SEVERITY[check.severity],
        },
    }


def _result(
    result: Result, finding: Finding, rule_index: int, file: str, fingerprint: str
) -> dict[str, object]:
    severity = result.severity(finding)
    where = f"{finding.location.method} {finding.location.target}"
    region = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2}
    return {
        "ruleId": result.check.id,
        "ruleIndex": rule_index,
        "level": "note" if finding.confidence is Confidence.INFO else _level(severity),
        "message": {"text": "\n".join((f"{where}: {finding.message}", *finding.evidence))},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file, "uriBaseId": "%SRCROOT%"},
                    "region": region,
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        "properties": {
            "confidence": finding.confidence.value,
            "precision": _PRECISION[finding.confidence],
            "security-severity": _SECURITY_SEVERITY[severity],
        },
    }


def _level(severity: Severity) -> str:
    return _LEVELS.get(severity, "error")


def _fingerprint(result: Result, finding: Finding, occurrences: Counter[str]) -> str:
    """The same for the same fault in the next audit, whose canaries, ports and lengths are others.

    Code scanning takes results of one fingerprint for one alert, so like ones are numbered as CodeQL does.
    """
    steady = f"{result.check.id}:{finding.location.method}:{_NUMBER.sub('0', finding.message)}"
    digest = hashlib.sha256(steady.encode()).hexdigest()[:16]
    occurrences[digest] += 1
    return f"{digest}:{occurrences[digest]}"
