"""The command line: `garrison explain`."""

from __future__ import annotations

import sys

import click

from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.explanation import document, records
from garrison_harness.extras import require
from garrison_harness.one_line_errors import OneLineCommand, faults_stop
from garrison_harness.target import UsageFault


@click.command(
    cls=OneLineCommand,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--list", "catalogue", is_flag=True, help="Name all checks, a few lines each.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as a page of reference; the last two tell of all without an ID.",
)
def explain(ids: tuple[str, ...], catalogue: bool, form: str) -> None:
    """Say what a check is about: why, how it is judged, how to fix it.

    ID is that of a check such as H1, or the letter of a family.

    \b
    Examples:
      garrison explain H1
      garrison explain --list

    Exit status: 0, 2 for an id that is none.
    """  # noqa: D301 - click wants the backspace itself
    with faults_stop():
        require("explain", "h11", "rich")
        if form == "text" and not ids and not catalogue:
            raise UsageFault("no check is named: give an id such as H1, a family such as H, or --list")
        words = [word for each in ids for word in each.split(",") if word.strip()]
        try:
            chosen = choose(words, []) if words else CATALOGUE
        except ValueError as error:
            raise UsageFault(str(error).replace("--list names", "garrison explain --list names")) from error
        if form != "text":
            click.echo((document if form == "markdown" else records)(chosen), nl=False)
            return
        from garrison_harness.report import text  # noqa: PLC0415 - needs the extra

        if catalogue:
            text.write_catalogue(chosen, sys.stdout)
            return
        for number, check in enumerate(chosen):
            if number:
                click.echo()
            text.write_explanation(check, sys.stdout)
