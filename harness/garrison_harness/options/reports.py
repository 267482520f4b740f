"""The options that say what is written, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from garrison_harness import audit_options
from garrison_harness.report.forms import FORMS

REPORTS: Final = (
    click.Option(
        ["--format", "formats"],
        multiple=True,
        type=click.Choice(FORMS),
        help="Repeatable.  [default: text]",
    ),
    click.Option(
        ["--output", "outputs"],
        metavar="PATH",
        multiple=True,
        help="Where the format in the same place goes, one for each; - is stdout, the default for one.",
    ),
    click.Option(
        ["--reference"],
        metavar="URL",
        callback=audit_options.web_address,
        help="Where the reference of checks is published, for findings to link to.",
    ),
    click.Option(["--log-directory"], type=click.Path(path_type=Path), help="Keep the target's output here."),
)
"""In the order of the help."""
