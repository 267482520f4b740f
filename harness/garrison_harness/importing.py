"""Imports what a target names in a process of its own, to tell whether it is an app at all."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.loading import NO_APP, NO_ATTRIBUTE, TOLD, WSGI, WSGIFound
from garrison_harness.process import Child
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.target import Target

_ASGI_ONLY: Final = frozenset({"uvicorn", "granian"})  # each answers 500 for a WSGI app
_SECONDS: Final = 30.0
_POLL: Final = 0.02  # seconds
_LINES: Final = 40


def misnamed(target: Target, environment: Mapping[str, str]) -> TargetFailed | None:
    """What is wrong with what an import string names; None where it is an app, or nobody can tell.

    Servers find out with the first request, and answer it with 500, as they do for an app that fails.

    Args:
        target: What was started.
        environment: Variables on top of those of this process.
    """
    if target.kind != "import":
        return None
    command = [sys.executable, "-m", "garrison_harness.loading", target.words[0]]
    command += ["--factory"] if target.factory else []
    with tempfile.TemporaryDirectory(prefix="garrison-") as logs:
        try:
            child = Child(command, logs=Path(logs), environment=environment)
        except OSError:
            return None
        try:
            status = _status(child)
            lines = child.log_tail(_LINES)
        finally:
            child.end(grace=0)
    if status == WSGI and target.server in _ASGI_ONLY:
        return WSGIFound(target.words[0], factory=target.factory)
    # The toolkit says that itself, and in the same words.
    if status == NO_APP or (status == NO_ATTRIBUTE and not target.harden):
        # What the app itself writes while it is imported, or when its process ends, is around it.
        told = [line.removeprefix(TOLD) for line in lines if line.startswith(TOLD)]
        return TargetFailed(told[-1] if told else f"{target} is no ASGI app")
    return None


def _status(child: Child) -> int | None:
    deadline = time.monotonic() + _SECONDS
    while child.exit_status() is None and time.monotonic() < deadline:
        interruption.pause(_POLL)
    return child.exit_status()
