"""The options that say what is written, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from garrison_harness.load.report.forms import FORMS

REPORTS: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--format", "formats"],
        type=click.Choice(FORMS),
        multiple=True,
        help="How the result is told; repeatable. csv is the files that Locust writes.  [default: text]",
    ),
    click.Option(
        ["--output", "outputs"],
        metavar="PATH",
        multiple=True,
        help="Where the format in the same place goes, one for each; - is stdout, the default for one. For"
        " csv what the names of its files begin with.",
    ),
    click.Option(
        ["--progress"],
        is_flag=True,
        help="Tell every 5 s on stderr how far the run is, where that is no terminal, which shows it anyway.",
    ),
    click.Option(
        ["--log-directory"],
        type=click.Path(path_type=Path),
        help="Where the logs of the target and of Locust go and stay.",
    ),
)
"""In the order of the help."""
