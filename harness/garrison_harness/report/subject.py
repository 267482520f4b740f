"""What a report is about, beside the outcome itself."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from garrison_harness.audit import Outcome
from garrison_harness.finding import Severity
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
        """The file that a finding is filed under, relative to the directory, with forward slashes.

        The module of an import string, else the first word of a command that is a file, else
        `pyproject.toml`: code scanning takes no result without a file of the repository.
        """
        if self.target.kind == "import":
            module = Path(*self.target.words[0].partition(":")[0].split("."))
            candidates = [
                root / path
                for root in (Path(), Path("src"))
                for path in (module.with_suffix(".py"), module / "__init__.py")
            ]
        elif self.target.kind == "command":
            candidates = [Path(word) for word in self.target.words]
        else:
            candidates = []
        root = self.directory.resolve()
        for candidate in candidates:
            path = (root / candidate).resolve()
            if path.is_file() and path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return "pyproject.toml"
