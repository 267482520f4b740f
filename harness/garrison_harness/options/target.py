"""The options that say what to start, and how."""

from __future__ import annotations

from typing import Final

import click

from garrison_harness import audit_options
from garrison_harness.options.seconds import Seconds
from garrison_harness.target import SERVERS, START_TIMEOUT

TARGET: Final = (
    click.Argument(["words"], metavar="TARGET", nargs=-1),
    click.Option(["--factory"], is_flag=True, help="The attribute is called to get the app."),
    click.Option(
        ["--harden"],
        is_flag=True,
        help="Start the app under garrison run, to show what would be gained.",
    ),
    click.Option(
        ["--server"],
        type=click.Choice(SERVERS),
        help="What an import string is booted under.  [default: uvicorn]",
    ),
    click.Option(["--in-process"], is_flag=True, help="Drive an import string without a server or a socket."),
    click.Option(["--i-own-this-host", "remote"], is_flag=True, help="Audit a URL of another machine."),
    click.Option(
        ["--env", "environment"],
        metavar="NAME=VALUE",
        multiple=True,
        callback=audit_options.variables,
        help="A variable for the process that is started.  Repeatable.",
    ),
    click.Option(
        ["--start-timeout"],
        metavar="SECONDS",
        type=Seconds(min=1, max=600),
        default=START_TIMEOUT,
        show_default=True,
        help="Seconds that it may take to start.",
    ),
)
"""In the order of the help."""
