"""The options that say what to start, and how."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

import click

from garrison_harness.env_file import variables_in
from garrison_harness.options import reading
from garrison_harness.options.seconds import Seconds
from garrison_harness.target import SERVERS, START_TIMEOUT, UsageFault, parse_target

if TYPE_CHECKING:
    from garrison_harness.target import Target


class Given(TypedDict):
    """What says what to start, of which a command may not have all."""

    words: tuple[str, ...]
    factory: bool
    harden: bool
    server: NotRequired[str | None]
    in_process: NotRequired[bool]
    remote: NotRequired[bool]
    environment: list[tuple[str, str]]
    env_file: Path | None
    start_timeout: float


WORDS: Final = click.Argument(["words"], metavar="TARGET", nargs=-1)
FACTORY: Final = click.Option(["--factory"], is_flag=True, help="The attribute is called to get the app.")
ENVIRONMENT: Final = click.Option(
    ["--env", "environment"],
    metavar="NAME=VALUE",
    multiple=True,
    callback=reading.variables,
    help="A variable for the process that is started.  Repeatable.",
)
ENV_FILE: Final = click.Option(
    ["--env-file"],
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of variables for that process, NAME=value lines as garrison run reads them; the environment"
    " and --env win.",
)

TARGET: Final = (
    WORDS,
    FACTORY,
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
    ENVIRONMENT,
    ENV_FILE,
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


def target_of(given: Given) -> Target:
    """What to start, or to reach.

    Args:
        given: The options.

    Raises:
        UsageFault: It is no target, the options do not go together, or the file of variables is none.
    """
    target = parse_target(
        given["words"],
        factory=given["factory"],
        harden=given["harden"],
        server=given.get("server"),
        in_process=given.get("in_process", False),
        remote=given.get("remote", False),
        environment=given["environment"],
        start_timeout=given["start_timeout"],
    )
    file = given["env_file"]
    if file is None:
        return target
    if target.kind == "url":
        raise UsageFault("--env-file is for what is started here, and a URL is not: leave it out")
    said = variables_in(file, dict(target.environment))
    return replace(target, environment=(*said, *target.environment))
