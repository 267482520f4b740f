"""A console for reports, on which a pipe that nobody reads any more is a fault like others."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from typing import TextIO


class ReportConsole(Console):
    """In colour where the stream is a terminal and NO_COLOR is not set; takes no text for markup."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        super().__init__(file=stream, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Say so, in place of an exit with status 1, which is for findings.

        Raises:
            BrokenPipeError: Always.
        """
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
