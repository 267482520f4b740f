"""Serves an app anew whenever one of its files is saved, for development."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

from uvicorn.supervisors import ChangeReload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from socket import socket

    from uvicorn import Config

    Run = Callable[[list[socket] | None], None]


def reload_on_changes(config: Config, run: Run, bound: socket) -> None:
    """Serve in a process of its own, ended and started again with each change below the current directory.

    Args:
        config: what uvicorn is told.
        run: what the process does, with the sockets that it accepts at.
        bound: where it listens.
    """
    # It counts the changes of all files, whatever their names: a log in this directory would feed itself.
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    config.reload = True
    config.reload_dirs = [Path.cwd()]
    if ChangeReload.__name__ == "WatchFilesReload":
        # It would look away for that long at first, and an app is served sooner. It groups changes itself.
        config.reload_delay = 0
    _Reload(config, run, [bound]).run()


class _Reload(ChangeReload):  # type: ignore[misc, valid-type]
    """uvicorn's, whose new process reads what was saved even if the old one had just compiled that file."""

    def __init__(self, config: Config, run: Run, sockets: list[socket]) -> None:
        super().__init__(config, run, sockets)
        self._run = run

    def should_restart(self) -> list[Path] | None:
        changed: list[Path] | None = super().should_restart()
        if changed:
            # By the new process, because the old one compiles for as long as it lives.
            self.target = partial(_run_anew, changed, self._run)
        return changed


def _run_anew(changed: Iterable[Path], run: Run, sockets: list[socket] | None) -> None:
    # Compiled code counts as current if size and second of the last change agree, so that a file saved twice
    # in a second may be served as it was: https://github.com/python/cpython/issues/75953.
    for path in changed:
        with suppress(OSError, NotImplementedError):
            Path(cache_from_source(str(path))).unlink()
    run(sockets)
