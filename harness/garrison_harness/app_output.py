"""Keeps what an app writes to standard output apart from the report, where both come from one process."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@contextmanager
def app_output(directory: Path | None) -> Iterator[None]:
    """While it lasts, what is written to standard output goes to `stdout.log`, or nowhere.

    The descriptor is turned away and not `sys.stdout` alone, because logs hold on to what is behind it, and
    write there after the audit too.

    Args:
        directory: Where the file is made; nowhere unless given.

    Raises:
        UsageFault: The file cannot be written.
    """
    try:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        away = os.open(directory / "stdout.log" if directory else os.devnull, _FLAGS, 0o600)
    except OSError as error:
        fault = f"cannot write logs to {directory}: {error.strerror}; give another --log-directory"
        raise UsageFault(fault) from error
    sys.stdout.flush()
    before = os.dup(1)
    os.dup2(away, 1)
    os.close(away)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(before, 1)
        os.close(before)
