"""The forms of a report by name, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

    from garrison_harness.report.report import Report

_RENDERED: Final = {
    "json": "json_report",
    "sarif": "sarif",
    "junit": "junit",
    "html": "html_report",
    "markdown": "markdown",
    "github": "github",
    "gitlab": "gitlab",
}

FORMS: Final = ("text", *_RENDERED)
"""What `--format` takes."""


def write(report: Report, form: str, stream: TextIO) -> None:
    """Write a report.

    Args:
        report: What to write.
        form: One of `FORMS`.
        stream: Where to.
    """
    if form == "text":
        from garrison_harness.report import text  # noqa: PLC0415 - needs rich

        text.write(report, stream)
    else:
        stream.write(import_module(f"garrison_harness.report.{_RENDERED[form]}").render(report))
