"""The audit as one JSON document, for programs.

The document is an object with these members, in this order:

- `schema_version`: 1; it grows when a member changes its meaning or goes, not when one is added.
- `tool`: `name` and `version`.
- `target`: `kind` (`import`, `command` or `url`), `words` as they were given, `url` where it was reached.
- `started`: a time as in RFC 3339, in UTC. `duration`: seconds. `requests`: a count.
- `stopped`: why not everything was asked, empty if it was. `obstacle`: what the page answered where that was
  neither a success nor a redirect, so that little could be judged; empty otherwise.
- `fail_on`: a severity. `exit_status`: 0, 1 or 4, as that of the tool.
- `summary`: how many checks are `passed`, `failed` (at least one finding that is confirmed or likely, of any
  severity) and `not_run`; and `failing_findings`, how many findings are confirmed and at or above `fail_on`:
  with one or more, the tool exits with 1.
- `checks`: one object for each check, in a stable order: `id`, `title`, `severity`, `status` (`passed`,
  `failed` or `not run`), `reason` (why it was not run), `fixed_by`, `layers`, `cwe` (a number or null),
  `reference`, `fix`, `garrison`, and `findings`: objects with `message`, `severity`, `confidence`
  (`confirmed`, `likely` or `info`), `location` (`method` and `target` of the request) and `evidence` (lines).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from garrison_harness.audit import Result
    from garrison_harness.report.report import Report

SCHEMA_VERSION = 1


def render(report: Report) -> str:
    """The document, indented, with a line break at the end."""
    outcome = report.outcome
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
        "exit_status": outcome.exit_status(report.fail_on),
        "summary": {
            "passed": report.count("passed"),
            "failed": report.count("failed"),
            "not_run": report.count("not run"),
            "failing_findings": len(outcome.failures(report.fail_on)),
        },
        "checks": [_check(result) for result in outcome.results],
    }
    # In ASCII: the words of a command may hold bytes that are no text, and stdout may be of any encoding.
    return json.dumps(document, indent=2) + "\n"


def _check(result: Result) -> dict[str, object]:
    check, verdict = result.check, result.verdict
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity.word,
        "status": verdict.status,
        "reason": verdict.reason,
        "fixed_by": check.fixed_by.value,
        "layers": list(check.layers),
        "cwe": check.cwe or None,
        "reference": check.reference,
        "fix": check.fix,
        "garrison": check.garrison,
        "findings": [
            {
                "message": finding.message,
                "severity": result.severity(finding).word,
                "confidence": finding.confidence.value,
                "location": {"method": finding.location.method, "target": finding.location.target},
                "evidence": list(finding.evidence),
            }
            for finding in verdict.findings
        ],
    }
