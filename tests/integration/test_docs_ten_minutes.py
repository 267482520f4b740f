"""The first tutorial is followed by bash in an empty folder, with a server in its second terminal."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.integration.documents import DOCS, FENCE
from tests.integration.test_docs_tutorial import OUTSIDE, Reader
from tests.toolkit.server.conftest import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = DOCS / "tutorial" / "ten-minutes.md"
PROOF = os.environ.get("PROOF") == "1"
# A whole audit of a server and a load take half a minute; otherwise other tests have done both.
LONG = ("garrison check --harden", "garrison load")
TRIES = 4
NUMBER = re.compile(r"\d[\d,.]*( (µs|ms|s|kB|MB))?\b")


def commands(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with what stands below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def pattern(line: str) -> re.Pattern[str]:
    """What fits a line of the page: figures are others each time, and `…` is anything."""
    text = "…".join(re.escape(piece) for piece in NUMBER.sub("0", line).split("…"))
    return re.compile(re.sub(r"(\\ )+", r" +", text).replace("…", ".*"))


def lost(shown: str, said: str) -> str:
    """The first line that the page shows and was not printed at its place; empty where all were."""
    rest, skipping = [NUMBER.sub("0", line) for line in said.splitlines()], False
    for line in shown.splitlines():
        if line == "…":
            skipping = True
            continue
        found = [index for index, one in enumerate(rest) if pattern(line).fullmatch(one)]
        if not found or (found[0] and not skipping):
            return line
        rest, skipping = rest[found[0] + 1 :], False
    return ""


def printed(reader: Reader, command: str, output: str) -> str:
    """What a command says; a machine that does much else may fall short of a load, which is then repeated."""
    said = reader.type(command)
    for _ in range(TRIES - 1 if command.startswith(LONG) else 0):
        if not lost(output, said):
            break
        said = reader.type(command)
    return said


@pytest.mark.timeout(400)
def test_ten_minutes_can_be_followed(tmp_path: Path) -> None:
    """What is saved, served, asked for and changed is what the page says."""
    page = PAGE.read_text(encoding="utf-8")
    reader = Reader(tmp_path)
    environ: dict[str, str] = {}
    typed = 0
    for language, text in FENCE.findall(page):
        if language == "python":
            reader.save("notes.py", text)
        elif language == "diff":
            reader.change(text, "notes.py")
        elif language == "console":
            for command, output in commands(text):
                if command.startswith("GARRISON_"):
                    environ = dict(word.split("=") for word in shlex.split(command)[:1])
                elif command.startswith("curl"):
                    with running(tmp_path, "notes:app", directory=tmp_path, **environ) as server:
                        said = reader.type(command.replace(":8000", f":{server.port}"))
                        assert not lost(output, said), (command, said)
                elif command.startswith("export "):
                    name, value = shlex.split(command)[1].split("=")
                    reader.environ[name] = value
                elif command.startswith((*OUTSIDE, ". ")) or (command.startswith(LONG) and not PROOF):
                    continue
                else:
                    said = printed(reader, command, output)
                    assert not lost(output, said), (command, said)
                typed += 1
    assert typed >= 6
    assert environ
