"""A directory for what a drill writes; those of drills that were killed are removed by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX: Final = "garrison-drill-"
_LOCK: Final = "in-use"
_NEW: Final = 1.0  # seconds


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory that is gone afterwards, or when the next drill begins."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        directory = Path(name)
        # The system lets go of it when this process ends, however it does.
        with (directory / _LOCK).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield directory


def _sweep(place: Path) -> None:
    """Remove what drills of this user have left that were killed."""
    for directory in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            found = directory.lstat()
            # Where there is no lock, or a new one, somebody is about to take it.
            if found.st_uid != os.getuid() or directory.is_symlink() or time.time() - found.st_mtime < _NEW:
                continue
            with (directory / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
