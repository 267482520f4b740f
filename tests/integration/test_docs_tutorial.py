"""The tutorial is followed from its first line to its last, by bash, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.documents import DOCS, FENCE

PAGE = DOCS / "tutorial" / "red-to-green.md"
NAMED = re.compile(r"[Ss]ave this as `([\w.]+)`:\n\n\Z")
# What a reader has and the tests do not: a network, and an environment of the tutorial's own.
OUTSIDE = ("mkdir ", "python3 -m venv", "pip install")


class Reader:
    """Somebody who does what the page says, in order.

    Attributes:
        folder: where the files are.
        environ: of the shell.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {
            name: value
            for name, value in os.environ.items()
            # In CI pytest writes longer lines.
            if not name.startswith(("GARRISON_", "PYTEST")) and name not in {"CI", "BUILD_NUMBER"}
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environ = {**kept, "PATH": path, "NO_COLOR": "1", "COLUMNS": "80"}
        self._status = 0

    def save(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def change(self, text: str, name: str = "guestbook.py") -> None:
        """Apply a change as a person does who looks for the lines: they are in one place only."""
        path = self.folder / name
        lines = text.splitlines(keepends=True)
        before = "".join(line[1:] or "\n" for line in lines if not line.startswith("+"))
        after = "".join(line[1:] or "\n" for line in lines if not line.startswith("-"))
        content = path.read_text(encoding="utf-8")
        assert content.count(before) == 1, before
        path.write_text(content.replace(before, after), encoding="utf-8")

    def type(self, command: str) -> str:
        """What a command prints on standard output."""
        if command == "echo $?":
            return f"{self._status}\n"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        self._status = done.returncode
        return done.stdout + (done.stderr if done.returncode not in {0, 1} else "")


def missing(shown: str, said: str) -> str:
    """The first line that the page shows and the output has not at its place; empty where all are there.

    Args:
        shown: the lines of the page, with `…` in place of any number of others, as after the last.
        said: what was printed.
    """
    rest, skipping = said.splitlines(), False
    for line in shown.splitlines():
        if line == "…":
            skipping = True
            continue
        # How long something took is another time each time.
        pattern = re.compile(re.sub(r"\d+\\\.\d+s", r"\\d+\\.\\d+s", re.escape(line)))
        found = [index for index, one in enumerate(rest) if pattern.fullmatch(one)]
        if not found or (found[0] and not skipping):
            return line
        rest, skipping = rest[found[0] + 1 :], False
    return ""


@pytest.mark.timeout(400)
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    """Every file is written, every change is made, and every command prints what stands below it."""
    page = PAGE.read_text(encoding="utf-8")
    reader = Reader(tmp_path)
    counted = {"python": 0, "diff": 0, "console": 0}
    for block in FENCE.finditer(page):
        language, text = block[1], block[2]
        if language == "python":
            name = NAMED.search(page[: block.start()])
            assert name is not None, text
            reader.save(name[1], text)
        elif language == "diff":
            reader.change(text)
        elif language == "console":
            follow(reader, text)
        else:
            assert language == "yaml"
            continue
        counted[language] += 1
    assert all(counted.values())


def follow(reader: Reader, block: str) -> None:
    """Type the commands of a block."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        if command.startswith(OUTSIDE):
            continue
        said = reader.type(command)
        lost = missing(output, said)
        assert not lost, f"{lost!r} is not what comes there:\n$ {command}\n{said}"


def test_the_build_runs_what_was_tried() -> None:
    """The commands of the workflow are those that the reader has typed."""
    page = PAGE.read_text(encoding="utf-8")
    (workflow,) = (yaml.safe_load(text) for language, text in FENCE.findall(page) if language == "yaml")
    typed = re.findall(r"^\$ (.*)$", page, re.MULTILINE)
    run = [step["run"] for step in workflow["jobs"]["guestbook"]["steps"] if "run" in step]

    assert run
    assert set(run) <= set(typed)
    uses = re.findall(r"uses: (.+)", page)
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in uses)
