"""Runs the harness without the toolkit: `python -m garrison_harness check TARGET`."""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple, cast

import click

from garrison_harness.extras import needs
from garrison_harness.one_line_errors import Stop


class Listed(NamedTuple):
    """A command before it is imported, which is when somebody asks for it.

    Attributes:
        module: where it is, under its own name.
        text: what the list in the help says of it.
        extra: what brings its packages.
    """

    module: str
    text: str
    extra: str = "harness"


COMMANDS: Final = {
    "check": Listed("garrison_harness.cli", "Audit an app from outside: what holds, and what does not."),
    "explain": Listed(
        "garrison_harness.explain", "Say what a check is about: why, how it is judged, how to fix it."
    ),
    "accept": Listed("garrison_harness.accept", "Accept findings for a time: only new ones fail."),
    "prove": Listed(
        "garrison_harness.prove", "Prove each layer: switch it off, and exactly its checks turn red."
    ),
    "load": Listed(
        "garrison_harness.load.command", "Load an app with Locust, and judge by thresholds.", "load"
    ),
    "drill": Listed("garrison_harness.drills.command", "Break something under load: what holds?"),
}


class Commands(click.Group):
    """The commands of the harness, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name.

        Raises:
            Stop: a package that it needs is missing.
        """
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        try:
            return cast("click.Command", getattr(import_module(listed.module), cmd_name))
        except ModuleNotFoundError as error:
            raise Stop(needs(f"`garrison {cmd_name}`", error.name, listed.extra)) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in the help, which imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.text) for name, listed in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Audit and load any web app from outside.

    \b
    Examples:
      python -m garrison_harness check shop.main:app
      python -m garrison_harness check -- node server.js --port {port}
      python -m garrison_harness load http://127.0.0.1:8000 --users 20
    """  # noqa: D301 - click wants the backspace itself


if __name__ == "__main__":
    main(prog_name="python -m garrison_harness")
