"""The Pythons of this machine that Garrison supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 11)
NEWEST = (3, 14)
ASK = "import sys; print(sys.implementation.name, *sys.version_info[:2], sys.base_prefix)"


def supported() -> dict[str, str]:
    """A program for each minor version that is here: `{"3.11": "/usr/bin/python3.11"}`."""
    found: dict[str, str] = {}
    seen: set[str] = set()
    for path in _candidates():
        version, prefix = _asked(path)
        if version and prefix not in seen:
            seen.add(prefix)
            found.setdefault(version, str(path))
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition(".")[2])))


def _candidates() -> Iterator[Path]:
    # The one that runs the tests has its own place, since what is on PATH may be another of the same version.
    yield Path(sys.executable)
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        named = shutil.which(f"python3.{minor}")
        if named:
            yield Path(named)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob("versions/3.*/bin/python"))


def _asked(path: Path) -> tuple[str, str]:
    """The version of a Python and where it is; empty for one that does not run, or is not supported."""
    done = subprocess.run([path, "-c", ASK], capture_output=True, text=True, timeout=30, check=False)
    told = re.fullmatch(r"cpython (\d+) (\d+) (.+)\n", done.stdout)
    if done.returncode or told is None or not OLDEST <= (int(told[1]), int(told[2])) <= NEWEST:
        return "", ""
    return f"{told[1]}.{told[2]}", told[3]
