"""What type checkers tell a program that uses Garrison: nothing where it is right, and where it is wrong.

mypy reads both programs in `make check`; here pyright does, as in many editors, and with PROOF=1 both
read them in an environment that has the wheel.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import garrison
from tests.missing import do_without
from tests.packages.environments import ROOT, as_tested

if TYPE_CHECKING:
    from pathlib import Path

PROOF = os.environ.get("PROOF") == "1"
TYPING = ROOT / "tests" / "typing"
PYRIGHT = ROOT / "build" / "pyright" / "node_modules" / "pyright" / "index.js"
MISUSES = (TYPING / "misuse.py").read_text(encoding="utf-8").count("# pyright: ignore[")


def checked(python: Path | str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What pyright says of the programs, in the words that other programs read."""
    if not PYRIGHT.exists():
        do_without(f"{PYRIGHT} is missing: `make test` fills it where npm is installed")
    command = ["node", str(PYRIGHT), "--pythonpath", str(python), "--outputjson", "--project", str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)


def copied(folder: Path, *, without: str = "") -> Path:
    """The programs in a folder of their own, without some of what they say to checkers."""
    for name in ("consumer.py", "misuse.py", "pyrightconfig.json"):
        text = (TYPING / name).read_text(encoding="utf-8")
        text = re.sub(without, "", text) if without and name == "misuse.py" else text
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.timeout(240)
def test_pyright_takes_what_is_right_and_refuses_what_is_not(tmp_path: Path) -> None:
    """In its strict mode it takes the consumer, and has an error for each line that misuses a name."""
    found = checked(sys.executable, copied(tmp_path, without=r"  # pyright: ignore\[.*\]"))
    told = json.loads(found.stdout)
    assert told["summary"]["filesAnalyzed"] == 2
    entries = told["generalDiagnostics"]
    wrong = {entry["range"]["start"]["line"] for entry in entries}
    assert {entry["file"].rpartition("/")[2] for entry in entries} == {"misuse.py"}, found.stdout
    lines = (tmp_path / "misuse.py").read_text(encoding="utf-8").splitlines()
    misused = {number for number, line in enumerate(lines) if "# type: ignore[" in line}
    assert wrong == misused
    assert len(misused) == MISUSES > 15


def test_the_consumer_uses_every_name() -> None:
    """A name that becomes public gets its use, and so its types are read."""
    tree = ast.parse((TYPING / "consumer.py").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "garrison"]
    brought = {alias.name for node in imports for alias in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert brought == set(garrison.__all__)
    # With annotations, which are read as text.
    text = (TYPING / "consumer.py").read_text(encoding="utf-8")
    assert all(name in used or len(re.findall(rf"\b{name}\b", text)) > 1 for name in brought)


def test_the_consumer_runs() -> None:
    """What type checkers take is also what works."""
    done = subprocess.run(
        [sys.executable, str(TYPING / "consumer.py")], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not PROOF, reason="mypy and pyright read the wheel from scratch: `make packages` has it")
@pytest.mark.timeout(400)
def test_both_read_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Its own type information is enough: no stub, no source tree, no setting of this repository."""
    environment = as_tested(tmp_path / "environment", [f"{wheel}[openapi]", "fastapi", "mypy"])
    folder = copied(tmp_path)
    strict = checked(environment.python, folder)
    assert strict.returncode == 0, strict.stdout
    options = ("--strict", "--cache-dir", str(tmp_path / "cache"), "--config-file", os.devnull)
    done = environment.run("mypy", *options, "consumer.py", "misuse.py", cwd=folder)
    assert done.returncode == 0, done.stdout
    assert shutil.which("mypy", path=str(environment.folder / "bin"))
