"""How a command ends that cannot go on: with one line on standard error and a status."""

from __future__ import annotations

import sys
from typing import NoReturn

import click


def fail(message: str, status: int) -> NoReturn:
    """End with a message on standard error.

    Args:
        message: a line, or several.
        status: of the process.

    Raises:
        SystemExit: always.
    """
    click.echo("\n".join(f"garrison: {line}" for line in message.splitlines()), err=True)
    sys.exit(status)
