"""Pairs formats with the places they go to, and writes them there."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

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
            require_writable(path)
    return list(zip(formats, paths, strict=True))


def write_all(
    destinations: Sequence[tuple[str, Path | None]], write: Callable[[str, TextIO], object]
) -> None:
    """Write each format to its place; one that cannot be written keeps no other from being written.

    Files, and on stdout what programs read, are in UTF-8 whatever the locale says. Text on stdout is in the
    encoding of the terminal, with a question mark for what that does not have. Files are put in place in one
    step, so that nobody reads half of one, and an older one stays where the new one cannot be written.

    Args:
        destinations: As `pair_outputs` gives them.
        write: Writes the format that it is given to a stream.

    Raises:
        UsageFault: A place does not take it: the disk is full, or nobody reads on.
    """
    faults = []
    for form, path in destinations:
        try:
            if path is None:
                _write_to_stdout(form, write)
            else:
                page = io.StringIO()
                write(form, page)
                # Words of a command may hold bytes that are no text.
                _put(path, page.getvalue().encode("utf-8", "backslashreplace"))
        except OSError as error:
            faults.append(f"cannot write {path or 'stdout'}: {error.strerror}")
    if faults:
        raise UsageFault("; ".join(faults))


def _put(path: Path, content: bytes) -> None:
    path = path.resolve()
    # A pipe or a device is written to as it is; so is a file in a directory that takes no others.
    if (path.exists() and not path.is_file()) or not os.access(path.parent, os.W_OK):
        path.write_bytes(content)
        return
    fresh = path.with_name(f".{os.getpid()}.new")
    try:
        fresh.write_bytes(content)
        if path.exists():
            fresh.chmod(path.stat().st_mode)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _write_to_stdout(form: str, write: Callable[[str, TextIO], object]) -> None:
    if sys.stdout is None:
        # The interpreter has none where the descriptor was closed from the beginning.
        raise OSError(errno.EBADF, "it is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        if form == "text":
            sys.stdout.reconfigure(errors="replace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        write(form, sys.stdout)
        sys.stdout.flush()
    except OSError:
        # What is left of it would be written once more when the interpreter ends, with a fault of its own.
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        raise


def _unpaired(formats: Sequence[str], outputs: Sequence[str]) -> str:
    """What would go where, what is left over, and the fix."""
    pairs = ", ".join(f"{form} to {output}" for form, output in zip(formats, outputs, strict=False))
    left = [*formats[len(outputs) :], *outputs[len(formats) :]]
    lacking = "--output" if len(formats) > len(outputs) else "--format"
    return (
        f"{len(formats)} --format and {len(outputs)} --output, which pair in order: {pairs}, and no {lacking}"
        f" for {', '.join(left)}; give each --format its --output, - for stdout"
    )


def require_writable(path: Path) -> None:
    """Find out beforehand whether a report can be written, without touching an older one.

    Raises:
        UsageFault: It cannot.
    """
    if path.is_dir():
        reason = "is a directory"
    elif not path.parent.is_dir():
        reason = f"has no directory to be in: create {path.parent} first"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "is not writable"
    else:
        return
    raise UsageFault(f"--output {path} {reason}")
