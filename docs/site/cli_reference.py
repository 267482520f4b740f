"""`python -m docs.site.cli_reference`: what every command says of itself."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from garrison.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS: Final = 80
OPENING: Final = """\
# The commands

What `garrison --help` and the help of every command say. The exit status is the same everywhere: 0 pass,
1 findings or a missed threshold, 2 usage or configuration, 3 the app did not start, 4 inconclusive or
interrupted.

This page is written by `make reference`, from the commands themselves."""


def document() -> str:
    """The whole page; it depends on nothing but the code."""
    blocks = [OPENING]
    for level, path, text in _helped(main, None, ()):
        blocks += [f"{'#' * level} {path}", f"```text\n{text}\n```"]
    return "\n\n".join(blocks) + "\n"


def _helped(
    command: click.Command, parent: click.Context | None, path: tuple[str, ...]
) -> Iterator[tuple[int, str, str]]:
    """The depth, the words and the help of a command, and of those below it."""
    name = path[-1] if path else "garrison"
    # The width is asked for at every level: some commands would be wider than others in a wide terminal.
    context = click.Context(
        command, parent=parent, info_name=name, **{**command.context_settings, "terminal_width": COLUMNS}
    )
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield 2 + max(0, len(path) - 1), " ".join(("garrison", *path)), text
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            if found is not None:
                yield from _helped(found, context, (*path, below))


if __name__ == "__main__":
    sys.stdout.write(document())
