"""Where the forms of a result go, found out before the run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from garrison_harness.load.report.forms import CSV_SUFFIXES
from garrison_harness.output import pair_outputs, require_writable
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def destinations(formats: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, Path | None]]:
    """Each file with its form, None for stdout; `csv` is several files, whose names begin with the path.

    Args:
        formats: As they were given.
        outputs: The same.

    Raises:
        UsageFault: Formats and outputs do not pair, or a file cannot be written.
    """
    return [one for form, path in pair_outputs(formats, outputs) for one in _files(form, path)]


def on_screen(places: Sequence[tuple[str, Path | None]]) -> bool:
    """Whether the report as text stands where a line on stderr would: on the same terminal.

    Args:
        places: What `destinations` made.
    """
    return ("text", None) in places and sys.stdout.isatty() and sys.stderr.isatty()


def _files(form: str, path: Path | None) -> Iterator[tuple[str, Path | None]]:
    if form != "csv":
        yield form, path
        return
    if path is None:
        raise UsageFault(
            f"--format csv makes {len(CSV_SUFFIXES)} files: give its --output what their names begin with,"
            f" such as run for run{CSV_SUFFIXES[0]} and run{CSV_SUFFIXES[1]}"
        )
    for suffix in CSV_SUFFIXES:
        file = path.with_name(f"{path.name}{suffix}")
        require_writable(file)
        yield f"{form}{suffix}", file
