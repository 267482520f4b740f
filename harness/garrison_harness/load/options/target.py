"""The options that say what to load; those of the audit, where they mean the same."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.configuration.readers import LOAD
from garrison_harness.options import target

TARGET: Final[tuple[click.Parameter, ...]] = (
    click.Argument(["words"], metavar="TARGET | -- COMMAND ... {port}", nargs=-1),
    *(option for option in target.TARGET if option.name in LOAD and option.name != "words"),
)
"""In the order of the help."""
