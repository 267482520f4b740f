"""Pairs formats with the places they go to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

STDOUT = "-"


def pair_outputs(formats: Sequence[str], outputs: Sequence[str]) -> list[tuple[str, Path | None]]:
    """Each format with its path, None for stdout: the first with the first, the rest to stdout.

    Raises:
        UsageFault: More paths than formats, two formats for stdout, or a path that cannot be written.
    """
    formats = formats or ["text"]
    if len(outputs) > len(formats):
        raise UsageFault(
            f"{len(outputs)} --output for {len(formats)} --format: give a --format before each --output"
        )
    paths = [None if output == STDOUT else Path(output) for output in outputs]
    paths += [None] * (len(formats) - len(paths))
    if paths.count(None) > 1:
        raise UsageFault("two formats cannot share stdout: give an --output for each but one")
    for path in paths:
        if path is not None:
            _require_writable(path)
    return list(zip(formats, paths, strict=True))


def _require_writable(path: Path) -> None:
    """Find out before the audit whether its report can be written, without touching an older one."""
    if path.is_dir():
        reason = "is a directory"
    elif not path.parent.is_dir():
        reason = f"has no directory to be in: make {path.parent} first"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "is not writable"
    else:
        return
    raise UsageFault(f"--output {path} {reason}")
