"""Every block of code in every page is at least what it says it is: it parses, and names what there is.

Most blocks are run as well, by the tests of their pages. One that cannot even be parsed stands below
`<!-- illustration: why -->`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shlex
import subprocess
import tomllib
from typing import TYPE_CHECKING, Final

import click
import pytest
import yaml

from garrison.cli import main
from tests.integration.documents import FENCE, ILLUSTRATION, PAGES, ROOT, Block, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHOWN: Final = [*PAGES, ROOT / "loadtests" / "README.md"]
SHELL: Final = frozenset({"bash", "console", "sh"})
PYTHON: Final = frozenset({"py", "python"})
# What is shown and not looked into here: output, other programs' languages, changes to a file.
OTHER: Final = frozenset(
    {
        "",
        "caddyfile",
        "diff",
        "dockerfile",
        "html",
        "http",
        "ini",
        "js",
        "make",
        "makefile",
        "markdown",
        "nginx",
        "text",
        "ts",
    }
)
CHECKED: Final = SHELL | PYTHON | {"env", "json", "toml", "yaml"}
# Ends one command of a line and begins the next.
BETWEEN: Final = frozenset({"&&", "||", "|", ";", "&", "(", ")", "\n"})
EXTRAS: Final = frozenset(
    tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
)
TARGETS: Final = frozenset(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)


def blocks() -> Iterator[Block]:
    """Every block that is not marked as an illustration."""
    for page in SHOWN:
        text = page.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            if not ILLUSTRATION.search(text[: found.start()]):
                line = text.count("\n", 0, found.start()) + 2
                yield Block(page=page, line=line, language=found[1], text=found[2])


ALL: Final = list(blocks())


def faults(languages: frozenset[str], judged: Callable[[Block], None]) -> list[str]:
    """What is wrong with the blocks in some languages, each with its place."""
    found = []
    for block in ALL:
        if block.language in languages:
            try:
                judged(block)
            except Exception as error:  # noqa: BLE001 - all of them are told at once
                found.append(f"{block.page.relative_to(ROOT)}:{block.line}: {error}")
    return found


def script_of(block: Block) -> str:
    """What a reader types: in a console block what stands behind `$`, lines that go on included."""
    if block.language != "console":
        return block.text
    typed, goes_on = [], False
    for line in block.text.splitlines():
        if goes_on or line.startswith("$ "):
            typed.append(line.removeprefix("$ ") if not goes_on else line)
            goes_on = line.endswith("\\")
    return "\n".join(typed) + "\n"


def commands_of(script: str) -> Iterator[list[str]]:
    """The words of each command, without the variables in front of it."""
    joined = re.sub(r"<<-?\s*'?(\w+)'?.*?\n.*?^\s*\1$", "", script, flags=re.DOTALL | re.MULTILINE)
    for line in joined.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, "\n"]:
            if word not in BETWEEN:
                words.append(word)
                continue
            while words and re.match(r"[A-Za-z_]+=", words[0]):
                del words[0]
            if words:
                yield words
            words = []


def test_every_language_is_known() -> None:
    """A language that is misspelt is highlighted by nobody and looked into by nobody."""
    assert {block.language for block in ALL} <= CHECKED | OTHER


def test_no_fence_is_overlooked() -> None:
    """Each block of a page is read here, however its fence is written."""
    overlooked = [
        str(page.relative_to(ROOT))
        for page in SHOWN
        if re.search(r"^\s*(```|~~~)", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    ]

    assert overlooked == []


def test_python_is_python() -> None:
    """A reader who copies it gets no syntax error."""
    assert faults(PYTHON, lambda block: void(ast.parse(block.text))) == []


def void(value: object) -> None:
    """Something to read, and nothing to keep; an empty file would say nothing."""
    assert value


def test_data_can_be_read() -> None:
    """TOML and YAML as a whole, JSON as one value or one a line."""
    assert faults(frozenset({"toml"}), lambda block: void(tomllib.loads(block.text))) == []
    assert (
        faults(frozenset({"yaml"}), lambda block: void(list(yaml.compose_all(block.text, yaml.SafeLoader))))
        == []
    )
    assert faults(frozenset({"json"}), lambda block: void(values_of(block.text))) == []


def values_of(text: str) -> list[object]:
    """The JSON of a block."""
    return [json.loads(text)] if text.startswith("{\n") else [json.loads(line) for line in text.splitlines()]


def test_settings_can_be_read(tmp_path: Path) -> None:
    """An env file holds nothing but variables and comments."""
    assert faults(frozenset({"env"}), lambda block: void(variables(block, tmp_path))) == []


def test_shell_is_shell(tmp_path: Path) -> None:
    """Bash can read every line that a reader is to type."""
    wrong = []
    for number, block in enumerate(block for block in ALL if block.language in SHELL):
        script = tmp_path / f"{number}.sh"
        script.write_text(script_of(block), encoding="utf-8")
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=50, check=False)
        wrong += [f"{block.name}: {done.stderr}"] if done.returncode else []

    assert wrong == []


def test_commands_name_what_there_is() -> None:
    """Commands and options of `garrison`, extras to install, modules to run, targets of make."""
    assert faults(SHELL, check_commands) == []


def check_commands(block: Block) -> None:
    """Look up what the commands of a block name."""
    own = set(re.findall(r"^([\w.-]+):", block.page.read_text(encoding="utf-8"), re.MULTILINE))
    for words in commands_of(script_of(block)):
        if words[0] == "garrison":
            assert not unknown_options(words[1:]), words
        elif words[0] == "pip":
            extras = re.findall(r"garrison\[([\w,]+)\]", " ".join(words))
            assert {extra for each in extras for extra in each.split(",")} <= EXTRAS, words
        elif words[:2] in (["python", "-m"], ["python3", "-m"]):
            assert importlib.util.find_spec(words[2]) is not None, words
        elif words[0] == "make":
            assert {word for word in words[1:] if not re.search(r"^-|=", word)} <= TARGETS | own, words


def unknown_options(words: list[str]) -> list[str]:
    """The words of a `garrison` command that name no command, or no option of it."""
    command: click.Command = main
    context = click.Context(command)
    known = {"--help", "-h", "--version"}
    for number, word in enumerate(words):
        if word == "--":
            break
        if word.startswith("-") and word != "-":
            known |= {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
            name = word.partition("=")[0]
            if name not in known and name[:2] not in known:
                return [word]
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                return words[number:]
            command = found
    return []


@pytest.mark.parametrize(
    "words", ["chekc shop:app", "check shop:app --frmat json", "csp hsh x.html", "limits reset --everything"]
)
def test_a_command_that_is_not_there_is_noticed(words: str) -> None:
    """These tests would tell."""
    assert unknown_options(shlex.split(words))
