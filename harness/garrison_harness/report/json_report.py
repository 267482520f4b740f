"""The audit as one JSON document, for programs; `report.schema.json` beside this file says what is in it.

`schema_version` grows when a member changes its meaning or goes, not when one is added.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from garrison_harness.checks.family import FAMILIES, family
from garrison_harness.report.report import STATUSES

if TYPE_CHECKING:
    from garrison_harness.audit import Result
    from garrison_harness.baseline import Applied, Entry
    from garrison_harness.observatory.rating import Rating
    from garrison_harness.report.report import Found, Report

SCHEMA_VERSION = 1


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    text = files("garrison_harness.report").joinpath("report.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def render(report: Report) -> str:
    """The document, indented, with a line break at the end."""
    outcome = report.outcome
    found: dict[str, list[Found]] = {}
    for one in report.found():
        found.setdefault(one.check.id, []).append(one)
    document = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "garrison", "version": report.tool_version},
        "target": report.target.to_record(outcome.url),
        "started": outcome.started.isoformat(timespec="seconds"),
        "duration": round(outcome.duration, 3),
        "requests": outcome.requests,
        "stopped": outcome.stopped,
        "obstacle": outcome.obstacle,
        "fail_on": report.fail_on.word,
        "exit_status": report.exit_status,
        "summary": {
            "passed": report.count("passed"),
            "failed": report.count("failed"),
            "accepted": report.count("accepted"),
            "not_run": report.count("not run"),
            "failing_findings": sum(one.failing for one in report.found()),
        },
        "baseline": None if report.baseline is None else _baseline(report.baseline),
        "families": [
            {
                "letter": name,
                "title": FAMILIES[name],
                **{status.replace(" ", "_"): counts[status] for status in STATUSES},
            }
            for name, counts in report.by_family().items()
        ],
        "observatory": None if report.rating is None else _rating(report.rating),
        "checks": [_check(result, found.get(result.check.id, []), report) for result in outcome.results],
    }
    # In ASCII: the words of a command may hold bytes that are no text, and stdout may be of any encoding.
    return json.dumps(document, indent=2) + "\n"


def _baseline(applied: Applied) -> dict[str, object]:
    return {
        "path": str(applied.path),
        "accepted": applied.hidden,
        "expired": [_entry(entry) for entry in applied.expired],
        "stale": [_entry(entry) for entry in applied.stale],
    }


def _rating(rating: Rating) -> dict[str, object]:
    score = rating.score
    return {
        "url": rating.url,
        "https": rating.https,
        "score": None if score is None else score.total,
        "grade": None if score is None else score.grade,
        "reason": rating.reason,
        "rules": [
            {"name": name, "points": points, "counts": counts}
            for name, points, counts in rating.contributions()
        ],
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "check": entry.check,
        "where": entry.where,
        "message": entry.message,
        "reason": entry.reason,
        "owner": entry.owner,
        "expires": entry.expires.isoformat(),
        "line": entry.line,
    }


def _check(result: Result, found: list[Found], report: Report) -> dict[str, object]:
    check, verdict = result.check, result.verdict
    return {
        "id": check.id,
        "title": check.title,
        "family": family(check.id),
        "severity": check.severity.word,
        "status": verdict.status,
        "reason": verdict.reason,
        "fixed_by": check.fixed_by.value,
        "layers": list(check.layers),
        "cwe": check.cwe or None,
        "reference": check.reference,
        "why": check.why,
        "how": check.how,
        "fix": check.fix,
        "garrison": check.garrison,
        "page": report.page_of(check) or f"docs/reference/checks.md#{check.id.lower()}",
        "findings": [_finding(one) for one in found],
    }


def _finding(found: Found) -> dict[str, object]:
    finding = found.finding
    return {
        "message": finding.message,
        "severity": found.severity.word,
        "confidence": finding.confidence.value,
        "failing": found.failing,
        "location": {"method": finding.location.method, "target": finding.location.target},
        "source": {"file": found.place.file, "line": found.place.line, "exact": found.place.exact},
        "evidence": list(finding.evidence),
    }
