"""The options that say what to load; those of the audit, where they mean the same."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness.configuration.fields import LOGIN
from garrison_harness.options import target

_SHARED: Final = ("factory", "harden", "server", "environment", "start_timeout")

TARGET: Final[tuple[click.Parameter, ...]] = (
    click.Argument(["words"], metavar="TARGET | -- COMMAND ... {port}", nargs=-1),
    *(option for option in target.TARGET if option.name in _SHARED),
)
"""In the order of the help."""

FROM_FILE: Final = ("words", *_SHARED, "headers", LOGIN)
"""What `[tool.garrison]` says of the target and of getting in there: an app is audited and loaded alike."""
