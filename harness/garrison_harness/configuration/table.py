"""Finds the file that holds `[tool.garrison]`, and reads that table."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from garrison_harness.configuration.forms import kind
from garrison_harness.target import UsageFault

NAME: Final = "[tool.garrison]"
"""How the table is called in every message."""

_FILE: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a file says.

    Attributes:
        path: The file, as messages name it.
        values: The table as TOML reads it; empty where there is no file.
    """

    path: Path
    values: Mapping[str, Any]

    def at(self, *keys: str) -> str:
        """The place of a value, as a message begins.

        Args:
            keys: Of the value, the outer ones first.
        """
        return f"{self.path}: {NAME} {'.'.join(keys)}".rstrip()

    def file(self, name: str) -> str:
        """The path of a file that the table names, which is relative to the table's own file."""
        return str(self.path.parent / name)


def find(start: Path) -> Table | None:
    """The table of the nearest `pyproject.toml` that has one, from a directory upward.

    The search ends where a repository begins: what is above it is somebody else's.

    Args:
        start: The directory.

    Raises:
        UsageFault: A file on the way cannot be read.
    """
    for directory in (start, *start.resolve().parents):
        file = directory / _FILE
        found = _table(_briefly(file)) if file.is_file() else None
        if found is not None or (directory / ".git").exists():
            return found
    return None


def _briefly(file: Path) -> Path:
    """A path as whoever stands in the working directory would write it."""
    return Path(os.path.relpath(file))


def read(path: Path) -> Table:
    """The table of a file that was named.

    Args:
        path: The file.

    Raises:
        UsageFault: It cannot be read, or has no such table.
    """
    found = _table(path)
    if found is None:
        raise UsageFault(f"{path} has no table {NAME}: begin one, or name another file with --config")
    return found


def _table(path: Path) -> Table | None:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageFault(f"{path} is no TOML: {error}") from error
    tool = document.get("tool", {})
    values = tool.get("garrison") if isinstance(tool, Mapping) else None
    if values is None:
        return None
    if not isinstance(values, Mapping):
        raise UsageFault(f"{path}: {NAME}: expected a table, found {kind(values)}")
    return Table(path=path, values=values)
