"""The options that say which checks to run, for how long, and what fails."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.baseline import DEFAULT_PATH
from garrison_harness.finding import Severity
from garrison_harness.options import reading
from garrison_harness.options.seconds import Seconds


def chosen(things: str, metavar: str, by: str) -> tuple[click.Option, click.Option]:
    """Which of the things that a command has are run, all of them unless it is said.

    Args:
        things: What they are called.
        metavar: What stands for their names in the help.
        by: How they are named, with an example.
    """
    return (
        click.Option(
            ["--select"],
            metavar=metavar,
            multiple=True,
            callback=reading.comma_separated,
            help=f"{things} to run, by {by}.",
        ),
        click.Option(
            ["--ignore"],
            metavar=metavar,
            multiple=True,
            callback=reading.comma_separated,
            help=f"{things} to leave out, likewise.",
        ),
    )


VERDICT: Final = (
    *chosen("Checks", "IDS", "id or family: E1,M"),
    click.Option(
        ["--severity", "severities"],
        metavar="IDS=SEVERITY",
        multiple=True,
        callback=reading.severities,
        help="How bad it is what checks find, in place of their own: H7=low,C=high.  Repeatable.",
    ),
    click.Option(
        ["--fail-on"],
        type=click.Choice([severity.word for severity in Severity]),
        default="medium",
        show_default=True,
        help="The least severity at which a confirmed finding fails.",
    ),
    click.Option(
        ["--baseline"],
        metavar="PATH",
        help=f"Accepted findings; off for none.  [default: {DEFAULT_PATH} where there is one]",
    ),
    click.Option(
        ["--timeout"],
        metavar="SECONDS",
        type=Seconds(min=1, max=600),
        default=60,
        show_default=True,
        help="Seconds that the checks may take; the start of the app, and the look for its routes and at its"
        " page (15 at most for each), come before.",
    ),
    click.Option(["--list", "catalogue"], is_flag=True, help="Say what there is to check, and end."),
)
"""In the order of the help."""
