"""The `garrison check` commands of a guide: typed with PROOF=1, else run right here, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from click.testing import CliRunner

from garrison.cli import main
from tests.integration.documents import ROOT, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROOF: Final = os.environ.get("PROOF") == "1"


def lines_of(page: Path) -> list[str]:
    """What a reader of a page types into a shell, line by line."""
    return [line for block in blocks(page, "sh") for line in block.text.splitlines()]


def audits(page: Path, *statuses: int) -> list[tuple[str, int]]:
    """The audits of a page with the status that each ends with; by default those alone that start nothing."""
    found = [line for line in lines_of(page) if "garrison check" in line]
    pairs = [*zip(found, statuses, strict=True)]
    return pairs if PROOF else [pair for pair in pairs if "--harden" not in pair[0]]


def audited(line: str, folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """How the audit of an example ends, and what it says.

    Args:
        line: as the page has it, about `app:app`.
        folder: of the example.
        environ: the variables that are set for it.
    """
    words = line.partition("garrison ")[2].split()
    if not PROOF:
        # By its whole name, so that it is none of the other modules that are called `app`.
        words[words.index("app:app")] = ".".join([*folder.relative_to(ROOT).parts, "app:app"])
        ran = CliRunner(env=environ).invoke(main, [*words, "--in-process"])
        return ran.exit_code, ran.output
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GARRISON_")}
    done = subprocess.run(
        [sys.executable, "-m", "garrison", *words],
        cwd=folder,
        env={**kept, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, f"{done.stdout}{done.stderr}"
