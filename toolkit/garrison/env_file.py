"""Reads the file that `--env-file` names."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from garrison.settings import Problem, SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file with a `NAME=value` on each line.

    A line that begins with `#` is a comment, and quotes around a whole value are taken off.

    Args:
        path: the file.

    Raises:
        SettingsError: the file cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise SettingsError(
            [
                Problem(
                    name="--env-file",
                    expected="the path of a readable file",
                    found=str(path),
                    hint=f"{reason}.",
                )
            ]
        ) from None
    found: dict[str, str] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_]\w*", name.strip()) or "\0" in value:
            # The line may hold a secret, so it is not shown.
            problems.append(Problem(name=f"{path}, line {number}", expected="NAME=value"))
            continue
        value = value.strip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name.strip()] = value[1:-1] if quoted else value
    if problems:
        raise SettingsError(problems)
    return found


def take_env_file(path: Path | None) -> None:
    """Put the variables of a file into the environment of this process; those that are there win.

    Args:
        path: the file; None for nothing to do.

    Raises:
        SettingsError: as `read_env_file` does.
    """
    if path is not None:
        for name, value in read_env_file(path).items():
            os.environ.setdefault(name, value)
