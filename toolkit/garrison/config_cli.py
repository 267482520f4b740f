"""The command `garrison config`: the settings as they are, and what is missing from them."""

from __future__ import annotations

import shutil
import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from garrison import listing
from garrison.ending import fail
from garrison.env_file import take_env_file, told
from garrison.server.environment import worker_count
from garrison.settings import SettingsError, foreign, load
from garrison.stack import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.preflight import Advice
    from garrison.settings import Loaded


@click.command(short_help="Print the effective settings, and what is missing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "env", "markdown"]),
    default="text",
    show_default=True,
    help="A page, JSON, a template for --env-file, or the reference of all settings.",
)
@click.option("--check", is_flag=True, help="Also say what is missing or unsafe.")
@click.option(
    "--env-file", type=click.Path(path_type=Path), help="File of NAME=value lines; the environment wins."
)
def config(form: str, check: bool, env_file: Path | None) -> None:
    """Print the effective settings, and where each of them comes from.

    \b
    Examples:
      garrison config
      garrison config --check --env-file shop.env
      garrison config --format env

    Exit status: 0, 1 where --check finds something unsafe, 2 for settings that
    cannot be used.
    """  # noqa: D301 - click wants the backspace itself
    sources: dict[str, str] = {}
    try:
        sources = take_env_file(env_file)
        loaded = load(Settings, defaults=worker_count(), sources=sources)
    except SettingsError as error:
        fail(told(error, sources), 2)
    advice = _advice(loaded) if check else ()
    if form == "env":
        click.echo(listing.template(loaded), nl=False)
    elif form == "json":
        click.echo(listing.document(loaded, advice if check else None))
    elif form == "markdown":
        from garrison import reference  # noqa: PLC0415 - for this form only

        click.echo(reference.document(), nl=False)
    else:
        # no-color.org: any value that is not empty switches colours off.
        color = False if foreign("NO_COLOR") else None
        # What is advised stands apart from it, at the end, where a terminal and a CI log leave the eye.
        click.echo(listing.page(loaded, width=_width()), nl=check, color=color)
    if check:
        _print_advice(advice)
    sys.exit(1 if any(item.level == "error" for item in advice) else 0)


def _advice(loaded: Loaded[Settings]) -> Sequence[Advice]:
    """What is missing or unsafe, the app and every file looked at as well; what has to be mended is last."""
    from garrison.preflight import Advice, examine, examine_document, examine_imports  # noqa: PLC0415 - with --check only
    from garrison.server.examining import examine_target_and_files  # noqa: PLC0415 - as above

    examiners = (examine, examine_document, examine_imports, examine_target_and_files)
    # What the app prints when it is imported is not what this command was asked for.
    with redirect_stdout(sys.stderr):
        found = [each for examiner in examiners for each in examiner(loaded.value)]
    found += (
        Advice(level="warning", variable=variable, text="its section is off, so nothing reads it.")
        for variable in loaded.unused
    )
    return sorted(found, key=lambda each: each.level == "error")


def _width() -> int | None:
    """The columns of the terminal; None where there is no terminal, so that a line stays a line."""
    return shutil.get_terminal_size(fallback=(0, 0)).columns or None


def _print_advice(found: Sequence[Advice]) -> None:
    for advice in found:
        line = f"{advice.level}: {advice.variable}: {advice.text}"
        width = _width()
        click.echo(line if width is None else textwrap.fill(line, width, subsequent_indent="  "), err=True)
    errors = sum(advice.level == "error" for advice in found)
    click.echo(f"garrison: {_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}", err=True)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
