"""Reads the file that `--env-file` names, as `garrison run` does: the toolkit itself is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

# No balancer has to learn that a hardened target stops.
STARTED_WITH: Final[Mapping[str, str]] = {"PYTHONUNBUFFERED": "1", "GARRISON_SERVER_DRAIN_DELAY": "0s"}
"""What every process that is started here finds in its environment, unless it is told otherwise."""

# What is started here is asked in plain HTTP, on a port that is chosen here.
_LISTENING: Final = frozenset(
    f"GARRISON_SERVER_{name}{suffix}"
    for name in ("TLS_CERTIFICATE", "TLS_KEY", "TLS_KEY_PASSWORD", "UNIX_SOCKET")
    for suffix in ("", "_FILE")
)
_SECONDS: Final = 30.0
_MOST_TOLD: Final = 3


def variables_in(path: Path, said: Iterable[str] = ()) -> list[tuple[str, str]]:
    """The variables of a file that nobody else has given a value: the environment wins.

    Where `garrison run` is to listen is not for the file to say.

    Args:
        path: The file.
        said: Names of variables that have a value already, beside those of the environment.

    Raises:
        UsageFault: It cannot be read, or a line in it is no variable.
    """
    known = {*os.environ, *STARTED_WITH, *_LISTENING, *said}
    return [(name, value) for name, value in _read(path).items() if name not in known]


def _read(path: Path) -> dict[str, str]:
    try:
        done = subprocess.run(  # noqa: S603 - the toolkit beside this harness
            [sys.executable, "-m", "garrison.env_file", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageFault(f"--env-file {path} could not be read: {error}") from error
    if done.returncode:
        lines = done.stderr.splitlines()
        more = f" (and {len(lines) - _MOST_TOLD} more)" if len(lines) > _MOST_TOLD else ""
        raise UsageFault("; ".join(line.rstrip(".") for line in lines[:_MOST_TOLD]) + more)
    found: dict[str, str] = json.loads(done.stdout)
    return found
