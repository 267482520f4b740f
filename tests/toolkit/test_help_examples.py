"""The examples in `--help`: each command has some, and takes them as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from garrison.cli import COMMANDS, main
from garrison_harness.__main__ import COMMANDS as HARNESS_COMMANDS
from garrison_harness.__main__ import main as harness

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = re.compile(r"^  Examples:\n((?:    .+\n)+)", re.MULTILINE)
# What the examples name as if it were there.
FILES = ("app.log", "key.txt", "report.json", "shop.env", "templates/base.html", "journeys.py")


def every_command(command: click.Command, *words: str) -> Iterator[tuple[str, ...]]:
    """The words that lead to a command, and to all below it."""
    yield words
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, *words, name)


ALL = [*every_command(main, "garrison"), ("python", "-m", "garrison_harness")]


def called(words: tuple[str, ...]) -> tuple[click.Command, int]:
    """The program that the words start, and how many of them are its name."""
    return (harness, 3) if words[0] == "python" else (main, 1)


def examples(words: tuple[str, ...]) -> list[list[str]]:
    """The examples that the help of a command shows, as words."""
    program, start = called(words)
    shown = CliRunner().invoke(program, [*words[start:], "--help"], terminal_width=100)
    found = EXAMPLES.search(shown.output)
    assert found is not None, f"{' '.join(words)} --help has no examples"
    return [shlex.split(line.partition(" < ")[0].replace(" ...", "")) for line in found[1].splitlines()]


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_has_examples_that_it_takes(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each begins with the command, and its options and arguments are read without a complaint."""
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("", encoding="utf-8")
    program, start = called(words)
    for example in examples(words):
        assert tuple(example[: len(words)]) == words
        at, context, rest = program, click.Context(program, **program.context_settings), example[start:]
        while isinstance(at, click.Group) and rest:
            name = rest.pop(0)
            below = at.get_command(context, name)
            assert below is not None, example
            # Below its parent, as a user reaches it: that decides what it takes, and it remembers that.
            at, context = below, click.Context(below, context, name, **below.context_settings)
        # Leaving it closes the files that it has opened.
        with at.make_context(context.info_name, list(rest), context.parent) as ready:
            assert ready.params is not None


def test_the_harness_alone_has_its_commands() -> None:
    """`python -m garrison_harness` lists what `garrison` lists of it, word for word."""
    own = {name: listed.text for name, listed in HARNESS_COMMANDS.items()}
    assert own == {name: listed.text for name, listed in COMMANDS.items() if listed.extra}
    assert {name: listed.extra for name, listed in HARNESS_COMMANDS.items()} == {
        name: listed.extra for name, listed in COMMANDS.items() if listed.extra
    }
    shown = CliRunner().invoke(harness, ["--help"])
    assert (shown.exit_code, "Break something under load" in shown.output) == (0, True)
