"""The options that say what is written, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from garrison_harness.options import reading
from garrison_harness.report.forms import FORMS

if TYPE_CHECKING:
    from collections.abc import Sequence


def written(forms: Sequence[str]) -> tuple[click.Option, click.Option]:
    """What is written and where to, for a command that has these formats."""
    return (
        click.Option(
            ["--format", "formats"],
            multiple=True,
            type=click.Choice(forms),
            help="Repeatable.  [default: text]",
        ),
        click.Option(
            ["--output", "outputs"],
            metavar="PATH",
            multiple=True,
            help="Where the format in the same place goes, one for each; - is stdout, the default for one.",
        ),
    )


REPORTS: Final = (
    *written(FORMS),
    click.Option(
        ["--reference"],
        metavar="URL",
        callback=reading.web_address,
        help="Where the reference of checks is published, for findings to link to.",
    ),
    click.Option(["--log-directory"], type=click.Path(path_type=Path), help="Keep the target's output here."),
)
"""In the order of the help."""
