"""What a report is about, beside the outcome itself."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from garrison_harness.audit import Outcome
from garrison_harness.finding import Severity
from garrison_harness.report.source_file import source_file
from garrison_harness.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An outcome, ready to be written in any form.

    Attributes:
        target: What was audited.
        outcome: What was found.
        fail_on: The severity from which confirmed findings fail the audit.
        directory: Where the audit was started; reports name files relative to it.
    """

    target: Target
    outcome: Outcome
    fail_on: Severity
    directory: Path

    @property
    def tool_version(self) -> str:
        """The version of Garrison that made the report."""
        return version("garrison")

    def count(self, status: str) -> int:
        """How many checks ended that way."""
        return sum(result.verdict.status == status for result in self.outcome.results)

    def source_file(self) -> str:
        """The file that findings are filed under, relative to the directory, with forward slashes."""
        return source_file(self.target, self.directory)
