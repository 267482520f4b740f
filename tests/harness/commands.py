"""Runs the command as a person does, and finds what it left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

APPS = Path(__file__).with_name("apps")
UVICORN = (sys.executable, "-m", "uvicorn", "--no-server-header", "--port", "{port}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def error_line(self) -> str:
        """The only line on stderr."""
        (line,) = self.stderr.splitlines()
        return line


def command(*words: str | Path) -> list[str]:
    """`garrison check` with these words."""
    return [sys.executable, "-m", "garrison_harness", "check", *map(str, words)]


def check(*words: str | Path, cwd: Path = APPS, **environment: str) -> Ran:
    """Run `garrison check`, without a terminal."""
    done = subprocess.run(
        command(*words),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return Ran(status=done.returncode, stdout=done.stdout, stderr=done.stderr)


def processes_with(mark: str) -> list[int]:
    """The ids of the living processes that have `mark` in their command line."""
    return _living("cmdline", mark)


def processes_told(mark: str) -> list[int]:
    """The ids of the living processes that were started with `mark` in their environment."""
    return _living("environ", mark)


def _living(file: str, mark: str) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / file).read_bytes().decode(errors="replace")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if mark in text and state != "Z":
                found.append(int(entry.name))
    return found


def listens(host: str, port: int) -> bool:
    """Whether somebody takes connections there now."""
    with socket.socket() as connection:
        return connection.connect_ex((host, port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 45.0) -> bool:
    """Whether the condition comes true; the bound is against hanging only."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
