"""The forms of a result by name, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

    from garrison_harness.load.result import Result

FORMS: Final = ("text", "json", "junit", "html", "csv")
"""What `--format` takes; `csv` is several files, and the others are one."""

CSV_SUFFIXES: Final = ("_stats.csv", "_stats_history.csv", "_failures.csv", "_exceptions.csv")
"""What the names of the files of `csv` end with."""

_RENDERED: Final = {"junit": "junit", "html": "html_report"}


def write(result: Result, form: str, stream: TextIO) -> None:
    """Write a result.

    Args:
        result: What to write.
        form: One of `FORMS`, and for a file of `csv` with what its name ends with: `csv_stats.csv`.
        stream: Where to.
    """
    if form == "text":
        from garrison_harness.load.report import text  # noqa: PLC0415 - needs rich

        text.write(result, stream)
    elif form == "json":
        stream.write(result.to_json())
    elif form.startswith("csv_"):
        from garrison_harness.load.report import csv_report  # noqa: PLC0415 - as all the others

        stream.write(csv_report.render(result, form.removeprefix("csv")))
    else:
        stream.write(import_module(f"garrison_harness.load.report.{_RENDERED[form]}").render(result))
