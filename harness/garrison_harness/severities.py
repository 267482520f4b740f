"""Severities that whoever audits gives to checks, in the place of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.finding import Confidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.audit import Outcome, Result
    from garrison_harness.finding import Severity


def regraded(outcome: Outcome, severities: Mapping[str, Severity]) -> Outcome:
    """The outcome with these severities for all that is wrong; what is mere information stays so.

    Args:
        outcome: What was found.
        severities: By the id of a check.
    """
    return replace(outcome, results=tuple(_regraded(result, severities) for result in outcome.results))


def _regraded(result: Result, severities: Mapping[str, Severity]) -> Result:
    severity = severities.get(result.check.id)
    if severity is None:
        return result
    findings = tuple(
        # A finding may be less bad than its check as a rule; who gives a severity means all of them.
        replace(finding, severity=result.severity(finding) if finding.confidence is Confidence.INFO else None)
        for finding in result.verdict.findings
    )
    return replace(
        result,
        check=replace(result.check, severity=severity),
        verdict=replace(result.verdict, findings=findings),
    )
