"""The audit as SARIF 2.1.0, with what GitHub's code scanning asks for on top.

GitHub refuses a whole upload for one result without a location, or with a location that is no file of the
repository; so every result names a file, and the request that shows the finding goes into the message.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import quote

from garrison_harness.checks.family import family
from garrison_harness.finding import Confidence, Severity
from garrison_harness.report.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Check
    from garrison_harness.report.report import Found, Report

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
_DESCRIPTION = 900  # letters; GitHub takes 1,024
_RELEASE = re.compile(r"\d+(\.\d+){0,2}")
_NO_IDENTIFIER = re.compile(r"[^0-9A-Za-z-]+")
_PRECISION = {Confidence.CONFIRMED: "very-high", Confidence.LIKELY: "medium", Confidence.INFO: "low"}


def render(report: Report) -> str:
    """The document, indented, with a line break at the end."""
    results = report.outcome.results
    index = {result.check.id: number for number, result in enumerate(results)}
    occurrences: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "garrison",
                "semanticVersion": _semantic(report.tool_version),
                "version": report.tool_version,
                "rules": [_rule(result.check, report) for result in results],
            }
        },
        "invocations": [
            {
                # The tool did its work, whatever it found.
                "executionSuccessful": not report.outcome.stopped and not report.outcome.obstacle,
                "toolExecutionNotifications": list(_notifications(report)),
            }
        ],
        "results": [
            _result(
                found,
                report.in_repository(found.place.file),
                index[found.check.id],
                fingerprint(found, occurrences),
            )
            # Of more than 5,000 results GitHub keeps those that come first.
            for found in report.worst_first()
        ],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2) + "\n"


def _notifications(report: Report) -> Iterator[dict[str, object]]:
    """What the tool has to say of its own work: why it was cut short, and what it could not judge."""
    for text in report.asides():
        yield {"level": "warning", "message": {"text": text}}
    for result in report.outcome.results:
        if result.verdict.status == "not run":
            text = f"{result.check.id} not run: {result.verdict.reason}"
            yield {"level": "note", "message": {"text": text}}


def _rule(check: Check, report: Report) -> dict[str, object]:
    parts = {
        "Why": check.why,
        "How it is judged": check.how,
        "Fix": check.fix,
        "With Garrison": check.garrison,
        "Reference": check.reference,
        "More": report.more(check),
    }
    told = [(name, text) for name, text in parts.items() if text]
    about = check.why or f"{check.title}."
    tags = ["security", family(check.id), *([f"external/cwe/cwe-{check.cwe:03}"] if check.cwe else [])]
    rule: dict[str, object] = {
        "id": check.id,
        "name": "".join(word.capitalize() for word in check.title.replace("-", " ").replace(",", "").split()),
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": f"{about[:_DESCRIPTION]} ({check.reference})"},
        "help": {
            "text": "\n\n".join(f"{name}: {text}" for name, text in told),
            "markdown": "\n\n".join(f"**{name}:** {text}" for name, text in told),
        },
        "defaultConfiguration": {"level": _level(check.severity)},
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "security-severity": _SECURITY_SEVERITY[check.severity],
        },
    }
    if page := report.page_of(check):
        rule["helpUri"] = page
    elif check.cwe:
        rule["helpUri"] = f"https://cwe.mitre.org/data/definitions/{check.cwe}.html"
    return rule


def _result(found: Found, file: str, rule_index: int, identity: str) -> dict[str, object]:
    finding, line = found.finding, found.place.line
    return {
        "ruleId": found.check.id,
        "ruleIndex": rule_index,
        "level": "note" if finding.confidence is Confidence.INFO else _level(found.severity),
        "message": {"text": "\n".join((f"{found.where}: {finding.message}", *finding.evidence))},
        "locations": [
            {
                "physicalLocation": {
                    # A URI reference, so that a space or an umlaut does not make the document invalid.
                    "artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 2},
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": identity},
        "properties": {
            "confidence": finding.confidence.value,
            "precision": _PRECISION[finding.confidence],
            "security-severity": _SECURITY_SEVERITY[found.severity],
        },
    }


def _level(severity: Severity) -> str:
    return _LEVELS.get(severity, "error")


def _semantic(version: str) -> str:
    """A version of Python's as one of SemVer 2.0.0: `0.1.0.dev3` becomes `0.1.0-dev3`."""
    found = _RELEASE.match(version)
    if found is None:
        return "0.0.0"
    release = ".".join((*found[0].split("."), "0", "0")[:3])
    rest = _NO_IDENTIFIER.sub(".", version[found.end() :]).strip(".")
    return f"{release}-{rest}" if rest else release
