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
    """Each format with the path in the same place, None for stdout; without any path, stdout for the one.

    Raises:
        UsageFault: Not as many paths as formats, two formats for stdout, or a path that cannot be written.
    """
    formats = formats or ["text"]
    if outputs and len(outputs) != len(formats):
        raise UsageFault(_unpaired(formats, outputs))
    paths = [None if output == STDOUT else Path(output) for output in outputs or [STDOUT] * len(formats)]
    if paths.count(None) > 1:
        raise UsageFault("two formats cannot share stdout: give an --output for each, - for stdout")
    for path in paths:
        if path is not None:
            _require_writable(path)
    return list(zip(formats, paths, strict=True))


def _unpaired(formats: Sequence[str], outputs: Sequence[str]) -> str:
    """What would go where, what is left over, and the fix."""
    pairs = ", ".join(f"{form} to {output}" for form, output in zip(formats, outputs, strict=False))
    left = [*formats[len(outputs) :], *outputs[len(formats) :]]
    lacking = "--output" if len(formats) > len(outputs) else "--format"
    return (
        f"{len(formats)} --format and {len(outputs)} --output, which pair in order: {pairs}, and no {lacking}"
        f" for {', '.join(left)}; give each --format its --output, - for stdout"
    )


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
