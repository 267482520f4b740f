"""Shows how far an audit has come."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from garrison_harness.checks.check import Check


class Progress:
    """A line on stderr that counts checks, where stderr is a terminal; gone at the end."""

    def __init__(self, total: int) -> None:
        """Count up to `total` checks."""
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._show("")

    def count(self, _check: Check) -> None:
        """Count one check, from any thread."""
        with self._lock:
            self._done += 1
            self._show(f"{self._done} of {self._total} checks asked")

    def _show(self, line: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
